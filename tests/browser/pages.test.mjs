// SPDX-License-Identifier: Apache-2.0
// The pages in a real browser against a fake gateway that can be put into every state.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { FakeGateway } from '../../web/test/fake_server.mjs';
import { desktop, launch, open, phone, says, sideways, until, violations } from './browser.mjs';

const fake = new FakeGateway();
let url = '';
let browser;
let pages = [];

before(async () => {
  url = await fake.listen();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  fake.close();
});
beforeEach(() => fake.set());
afterEach(async () => {
  const trouble = pages.flatMap((page) => page.trouble);
  await Promise.all(pages.map((page) => page.context().close()));
  pages = [];
  assert.deepEqual(trouble, [], 'the console is silent');
});

async function show(hash, options) {
  const page = await open(browser, url + hash, options);
  pages.push(page);
  return page;
}

/** No sheet waits for its first answer any more. */
const filled = (page) =>
  until(
    page,
    'the page to be filled',
    () => document.querySelector('h1') && !document.querySelector('[aria-busy="true"], .bone'),
  );

const heat_fault = {
  source: 'heat',
  kind: 'device_silent',
  severity: 'warning',
  text: 'It sent nothing for 28 minutes. Check that it has power.',
  raised: true,
  since_age_s: 1680,
};

const everything = [
  ['home', '#/', {}],
  ['home with troubles', '#/', { silent: { heat: 1680 }, behind: 'broker', faults: [heat_fault] }],
  ['home without devices', '#/', { devices: [], sinks: [] }],
  ['home without the meter', '#/', { silent: { grid: 1680 } }],
  ['devices', '#/devices', {}],
  ['a device with a relay', '#/devices/heat', {}],
  ['a device with many values and a gap', '#/devices/grid', { gap: true }],
  ['a device with limits to set', '#/devices/roof', {}],
  ['a silent device', '#/devices/heat', { silent: { heat: 1680 }, faults: [heat_fault] }],
  ['a device that is not there', '#/devices/nowhere', {}],
  ['delivery', '#/delivery', {}],
  ['delivery that is behind', '#/delivery', { behind: 'broker' }],
  ['no fault', '#/faults', {}],
  ['faults', '#/faults', { faults: [heat_fault, { ...heat_fault, source: 'grid', severity: 'alarm' }] }],
  ['sign in', '#/', { password: 'lindenweg' }],
  ['an address of nothing', '#/nothing', {}],
];

describe('no violation of WCAG 2.2 AA', () => {
  for (const [name, hash, state] of everything) {
    it(`${name}: light and dark, desktop and phone`, async () => {
      fake.set(state);
      const page = await show(hash);
      await filled(page);
      for (const size of [desktop, phone]) {
        await page.setViewportSize(size);
        for (const colorScheme of ['light', 'dark']) {
          await page.emulateMedia({ colorScheme });
          assert.deepEqual(await violations(page), [], `${colorScheme}, ${size.width} px`);
          assert.equal(await sideways(page), 0, `${size.width} px`);
        }
      }
    });
  }

  it('while contact is lost', async () => {
    const page = await show('#/');
    await says(page, 'Everything delivered');
    fake.set({ down: true });
    await says(page, 'No contact with the gateway since');
    assert.deepEqual(await violations(page), []);
  });

  it('the chart as a table', async () => {
    const page = await show('#/devices/grid');
    await page.getByRole('button', { name: 'As a table' }).click();
    await page.waitForSelector('.table-box td');
    assert.deepEqual(await violations(page), []);
  });
});

describe('nothing is cut off', () => {
  for (const [name, hash, state] of everything) {
    it(`at 320 px in German, which is longer: ${name}`, async () => {
      fake.set(state);
      const page = await show(hash, { size: { width: 320, height: 640 }, locale: 'de-DE' });
      await filled(page);
      assert.equal(await sideways(page), 0);
    });
  }

  it('with letters twice as large', async () => {
    const page = await show('#/', { size: phone });
    await says(page, 'Everything delivered');
    await page.evaluate(() => (document.documentElement.style.fontSize = '200%'));
    assert.equal(await sideways(page), 0);
    const cut = await page.evaluate(() =>
      [...document.querySelectorAll('h1, h2, b, small, p, td, th, a, button, dt, dd')]
        .filter((e) => getComputedStyle(e).overflow !== 'visible' && e.scrollHeight > e.clientHeight + 2)
        .filter((e) => !e.closest('.sr') && !e.classList.contains('sr'))
        .map((e) => e.outerHTML.slice(0, 80)),
    );
    assert.deepEqual(cut, []);
  });
});

describe('live', () => {
  it('a value changes without a reload', async () => {
    const page = await show('#/');
    await says(page, 'is going to the grid');
    fake.set({ sun_w: 0, battery_w: 0, house_w: 3400 });
    await says(page, 'The house draws 3.');
    assert.match(await page.textContent('[data-place=house] b'), /^3\.[34]/);
  });

  it('a device that falls silent turns grey, a dash stands for its value', async () => {
    const page = await show('#/');
    await says(page, 'Heat pump');
    fake.set({ silent: { heat: 1680 } });
    await page.waitForSelector('tr.stale[data-device=heat]');
    assert.equal(await page.textContent('tr[data-device=heat] td.now b'), '–');
    await says(page, '1 of 5 devices does not answer');
  });

  it('contact is lost, values age, contact comes back', async () => {
    const page = await show('#/');
    await says(page, 'Everything delivered');
    fake.set({ down: true });
    await says(page, 'No contact with the gateway since');
    await says(page, 'The last values are from');
    await says(page, 'Power now is not known.', 20_000);
    assert.match(await page.textContent('tr[data-device=grid] td.now'), /value is old/);
    fake.set();
    await page.getByRole('button', { name: 'Try now' }).click();
    await until(page, 'the line to go', () => !document.querySelector('.offline'));
  });

  it('comes back by itself', async () => {
    const page = await show('#/');
    await says(page, 'Everything delivered');
    fake.set({ down: true });
    await page.waitForSelector('.offline');
    fake.set();
    await until(page, 'the line to go', () => !document.querySelector('.offline'), null, 20_000);
  });

  it('without a WebSocket it asks again and again', async () => {
    fake.set({ socket: false });
    const page = await show('#/');
    await says(page, 'is going to the grid');
    fake.set({ socket: false, sun_w: 0, battery_w: 0, house_w: 3400 });
    await says(page, 'The house draws 3.');
    assert.equal(await page.locator('.offline').count(), 0);
  });

  it('a gateway without a clock is told', async () => {
    fake.set({ clock: false });
    const page = await show('#/');
    await says(page, 'The clock is not set yet');
  });

  it('before the first reading it says that readings are on their way', async () => {
    fake.set({ starting: true });
    const page = await show('#/');
    await says(page, 'The first readings are on their way.');
  });
});

describe('delivery', () => {
  for (const size of [desktop, phone]) {
    it(`falls behind and catches up, ${size.width} px`, async () => {
      fake.set({ drain_per_s: 900 });
      const page = await show('#/delivery', { size });
      await says(page, 'Everything is delivered.');
      fake.set({ behind: 'broker', drain_per_s: 900 });
      await says(page, 'Delivery to broker is behind.');
      await says(page, 'oldest 21 min: the name broker.home is not found');
      fake.set({ behind: null }, false);
      await says(page, 'Delivery is catching up.');
      await says(page, 'of 4 812 confirmed. New readings are not held up.');
      await says(page, 's left');
      await says(page, 'Everything is delivered.', 15_000);
    });
  }
});

describe('a fault', () => {
  for (const size of [desktop, phone]) {
    it(`stands on Home with the way to its device, and goes, ${size.width} px`, async () => {
      const page = await show('#/', { size });
      await says(page, 'Everything delivered');
      fake.set({ silent: { heat: 1680 }, faults: [heat_fault] });
      await says(page, 'Heat pump does not answer since');
      await page.getByRole('link', { name: 'Open Heat pump' }).click();
      await says(page, 'Heat pump does not answer.');
      fake.set();
      await until(page, 'the note to go', () => !document.querySelector('.note'));
    });
  }

  it('an alarm is told at once', async () => {
    const page = await show('#/delivery');
    await says(page, 'Everything is delivered.');
    fake.set({ faults: [{ ...heat_fault, source: '', kind: 'storage_failed', severity: 'alarm' }] });
    await until(page, 'the alarm to be spoken', () =>
      [...document.querySelectorAll('[role=alert]')].some((e) => /New alarm: The disk/.test(e.textContent)),
    );
  });
});

describe('the relay', () => {
  const phase = (page) => page.getAttribute('[data-control=relay_closed] .phase', 'data-phase');

  for (const size of [desktop, phone]) {
    it(`is switched: sent, then confirmed and read back, ${size.width} px`, async () => {
      fake.set({ relay_delay_ms: 800 });
      const page = await show('#/devices/heat', { size });
      await page.getByRole('button', { name: 'Open the relay' }).click();
      await says(page, 'Sent to the device at');
      assert.equal(await phase(page), 'sent');
      assert.equal(await page.textContent('.control-now b'), 'closed', 'not before it is read back');
      await says(page, 'read back: open.');
      await page.getByRole('button', { name: 'Close the relay' }).waitFor();
      assert.equal(await page.textContent('.control-now b'), 'open');
    });
  }

  it('a refusal is said in words and nothing looks switched', async () => {
    fake.set({ relay_answer: 'device_refused' });
    const page = await show('#/devices/heat');
    await page.getByRole('button', { name: 'Open the relay' }).click();
    await says(page, 'The device refused. Nothing has changed.');
    assert.equal(await page.textContent('.control-now b'), 'closed');
  });

  it('a device that is asleep leaves the command under way', async () => {
    fake.set({ relay_answer: 'never' });
    const page = await show('#/devices/heat');
    await page.getByRole('button', { name: 'Open the relay' }).click();
    await says(page, 'Still waiting for the device.', 15_000);
  });

  it('the result comes without a WebSocket as well', async () => {
    fake.set({ socket: false });
    const page = await show('#/devices/heat');
    await page.getByRole('button', { name: 'Open the relay' }).click();
    await says(page, 'read back: open.');
  });

  it('cannot be used without contact, and says so', async () => {
    const page = await show('#/devices/heat');
    const button = page.getByRole('button', { name: 'Open the relay' });
    await button.waitFor();
    fake.set({ down: true });
    await says(page, 'This works again when it is back.');
    assert.equal(await button.getAttribute('aria-disabled'), 'true');
  });

  it('a limit is typed in per cent; what does not fit is said beside the field', async () => {
    const page = await show('#/devices/roof');
    const field = page.getByLabel('New value of Power limit');
    await field.fill('120');
    await page.getByRole('button', { name: 'Set Power limit', exact: true }).click();
    await says(page, 'Type a number from 0 to 100 %.');
    assert.equal(await field.inputValue(), '120');
    await field.fill('62,5');
    await page.keyboard.press('Enter');
    await says(page, 'read back: 62.5 %.');
  });

  it('of a gateway without a password only shows, and says why', async () => {
    fake.set({ may_act: false });
    const page = await show('#/devices/heat');
    await says(page, 'Acting needs a password: set web.password_scrypt');
    const button = page.getByRole('button', { name: 'Open the relay' });
    assert.equal(await button.getAttribute('aria-disabled'), 'true');
    assert.deepEqual(await violations(page), []);
  });

  it('asking now is answered', async () => {
    const page = await show('#/devices/heat');
    await page.getByRole('button', { name: 'Ask it now' }).click();
    await says(page, 'Asked at');
  });
});

describe('the chart', () => {
  it('follows the arrow keys and says where it is', async () => {
    const page = await show('#/devices/grid');
    const chart = page.getByRole('slider');
    await chart.focus();
    const last = await chart.getAttribute('aria-valuenow');
    await page.keyboard.press('ArrowLeft');
    assert.equal(await chart.getAttribute('aria-valuenow'), String(Number(last) - 1));
    await page.keyboard.press('Home');
    assert.match(await chart.getAttribute('aria-valuetext'), /not measured/);
    await page.keyboard.press('Escape');
    assert.equal(await chart.getAttribute('aria-valuenow'), last);
    assert.ok((await page.locator('.uplot canvas').count()) > 0);
  });

  it('says its gap in words', async () => {
    fake.set({ gap: true });
    const page = await show('#/devices/grid');
    await says(page, 'No reading from');
  });

  it('has a table and a CSV of the same values', async () => {
    const page = await show('#/devices/roof');
    await page.getByRole('button', { name: 'As a table' }).click();
    assert.equal(await page.locator('.table-box tbody tr').count(), 360);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'CSV' }).click(),
    ]);
    assert.equal(download.suggestedFilename(), 'inverter-power_w.csv');
  });

  it('shows another value when asked', async () => {
    const page = await show('#/devices/roof');
    await page.getByLabel('What to show').selectOption('temperature_mc');
    await until(page, 'the read-out', () =>
      /Temperature 41\.\d\u202f°C/.test(document.querySelector('.read').textContent),
    );
  });
});

describe('the way through', () => {
  it('the first Tab leads to the content, then through all pages', async () => {
    const page = await show('#/');
    await says(page, 'Everything delivered');
    await page.keyboard.press('Tab');
    const focused = () => page.evaluate(() => document.activeElement.textContent.trim());
    assert.equal(await focused(), 'To the content');
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
    assert.equal(new URL(page.url()).hash, '#/');
  });

  it('Tab reaches every link and button once and is always seen', async () => {
    const page = await show('#/devices/heat');
    await page.getByRole('button', { name: 'As a table' }).waitFor();
    const seen = [];
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press('Tab');
      const at = await page.evaluate(() => {
        const e = document.activeElement;
        if (e === document.body) {
          return null;
        }
        const box = e.getBoundingClientRect();
        const style = getComputedStyle(e);
        return {
          name: e.getAttribute('aria-label') ?? e.textContent.trim().slice(0, 30),
          seen: box.width > 0 && box.top < innerHeight && box.bottom > 0 && style.outlineStyle !== 'none',
        };
      });
      if (at === null) {
        break;
      }
      seen.push(at);
    }
    assert.deepEqual(seen.filter((one) => !one.seen), []);
    const names = seen.map((one) => one.name);
    for (const name of ['To the content', 'Home', 'Faults', 'Ask it now', 'What to show', 'CSV', 'Open the relay']) {
      assert.ok(names.includes(name), `${name} in ${names.join(', ')}`);
    }
    const others = names.filter((name) => name !== 'Devices');
    assert.equal(new Set(others).size, others.length);
  });

  it('a tab of the phone leads to its page and the heading takes the focus', async () => {
    const page = await show('#/', { size: phone });
    await page.locator('.tabs').getByRole('link', { name: 'Faults' }).click();
    await says(page, 'No fault now.');
    await until(page, 'the heading to have the focus', () => document.activeElement.tagName === 'H1');
    assert.match(await page.title(), /^Faults – lindenweg-12 – Jouleway$/);
  });

  it('keys lead to pages, are listed, and can be switched off', async () => {
    const page = await show('#/');
    await says(page, 'Everything delivered');
    await page.keyboard.type('gf');
    await says(page, 'No fault now.');
    await page.keyboard.type('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    assert.deepEqual(await violations(page), []);
    await page.getByRole('button', { name: 'Switch the keys off' }).click();
    await page.getByRole('button', { name: 'Switch the keys on' }).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.type('gd');
    assert.equal(new URL(page.url()).hash, '#/faults');
  });

  it('every target of a finger is at least 24 px high and wide', async () => {
    for (const hash of ['#/', '#/devices/heat', '#/delivery', '#/faults']) {
      const page = await show(hash, { size: phone });
      await page.waitForSelector('.foot-line');
      const small = await page.evaluate(() =>
        [...document.querySelectorAll('button, select, .btn, .tabs a, .top a')]
          .map((e) => ({ e, box: e.getBoundingClientRect() }))
          .filter(({ box }) => box.width > 0 && (box.width < 24 || box.height < 24))
          .map(({ e }) => e.outerHTML.slice(0, 80)),
      );
      assert.deepEqual(small, [], hash);
    }
  });

  it('forced colours keep marks and words', async () => {
    const page = await show('#/', { forcedColors: 'active' });
    await says(page, 'Everything delivered');
    assert.deepEqual(await violations(page), []);
  });
});

describe('the language', () => {
  it('is the reader\'s: German words, German decimal sign', async () => {
    const page = await show('#/', { locale: 'de-AT' });
    await says(page, 'Die Sonne versorgt das Haus.');
    assert.equal(await page.getAttribute('html', 'lang'), 'de');
    assert.match(await page.textContent('[data-place=solar] b'), /^4,8\d\u202fkW$/);
  });

  it('is English for whom there is no table', async () => {
    const page = await show('#/', { locale: 'ja-JP' });
    await says(page, 'The sun runs the house.');
  });
});

describe('a mistake in a page', () => {
  it('leaves the frame, says so, and another page opens', async () => {
    const page = await show('#/');
    await says(page, 'Everything delivered');
    fake.set({ sinks: [{ name: 'odd', type: null, endpoint: null }] });
    await page.locator('.top').getByRole('link', { name: 'Delivery' }).click();
    await says(page, 'This page cannot be shown');
    await page.locator('.top').getByRole('link', { name: 'Faults' }).click();
    await says(page, 'No fault now.');
    page.trouble.length = 0;
  });
});

describe('signing in', () => {
  it('a wrong password is said beside the field and kept in it; the right one opens', async () => {
    fake.set({ password: 'lindenweg' });
    const page = await show('#/devices');
    const field = page.getByLabel('Password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await says(page, 'The password is missing.');
    await field.fill('Lindenweg');
    await page.keyboard.press('Enter');
    await says(page, 'This password does not fit.');
    assert.equal(await field.inputValue(), 'Lindenweg');
    assert.equal(await field.getAttribute('aria-invalid'), 'true');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'password');
    await field.fill('lindenweg');
    await page.keyboard.press('Enter');
    await says(page, 'All 5 devices answer.');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Password').waitFor();
  });
});

describe('over the wire', () => {
  it('everything together is at most 120 KB gzipped, all from this gateway', async () => {
    const { gzipSync } = await import('node:zlib');
    const page = await open(browser, 'about:blank');
    pages.push(page);
    const sizes = [];
    const hosts = new Set();
    page.on('response', (answer) => {
      hosts.add(new URL(answer.url()).host);
      if (!answer.url().includes('/api/')) {
        sizes.push(answer.body().then((body) => gzipSync(body).length));
      }
    });
    await page.goto(`${url}#/devices/grid`);
    await says(page, 'As a table');
    const size = (await Promise.all(sizes)).reduce((sum, one) => sum + one, 0);
    assert.deepEqual([...hosts], [new URL(url).host]);
    assert.ok(size > 30_000 && size <= 120_000, `${size} bytes`);
  });
});
