// SPDX-License-Identifier: Apache-2.0
// The battery's pages in a real browser against the fake gateway, in every state of a battery.
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

const devices = ['grid', 'roof', 'battery', 'heat', 'pack-1', 'pack-2'];

async function show(hash, scenes, options) {
  fake.set({ scenes: [scenes].flat(), devices });
  const page = await open(browser, url + hash, options);
  pages.push(page);
  return page;
}

const filled = (page) =>
  until(
    page,
    'the page to be filled',
    () => document.querySelector('h1') && !document.querySelector('[aria-busy="true"], .bone'),
  );

/** The sentence that opens the page for each scene, and a part of what it says to do. */
const scenes = {
  nominal: ['Charging with 40.8 of 47 A allowed.', 'Full in about 1 h 30 min'],
  discharging: ['Discharging with 32.4 of 100 A allowed.', 'Empty in'],
  resting: ['The battery rests. Allowed: 47 A in, 100 A out.', 'was heard'],
  full: ['The battery is full and rests.', 'full, kept full'],
  stale: ['s old.', 'Charging and discharging are stopped.'],
  silent: ['The battery does not answer.', 'Check the cable between gateway and BMS'],
  never: ['The battery does not answer.', 'have not answered yet. Nothing is sent to the inverter'],
  not_ready: ['The battery is being read for the first time.', 'has not told what it is set to'],
  implausible: ['The battery tells what cannot be true.', 'Check its sense wire.'],
  bms_fault: ['The battery reports a fault.', 'protect it by themselves'],
  inverter_silent: ['The inverter is not heard.', 'Check the CAN cable on can'],
  bus_off: ['The line to the inverter is disturbed.', '120 Ω terminator'],
  no_inverter: ['Charging with 40.8 of 47 A allowed.', 'Name a line under "can"'],
  two_packs: ['Charging with 40.8 of 47 A allowed.', 'Pack 2 does not answer'],
  four_cells: ['Charging with 40.8 of 47 A allowed.', 'Cell 2 is being balanced'],
};

describe('a battery', () => {
  for (const [scene, [sentence, advice]] of Object.entries(scenes)) {
    it(`${scene}: says what it does and what to do, and is for everyone`, async () => {
      const page = await show('#/battery', scene);
      await says(page, sentence);
      assert.match((await page.textContent('h1')).replace(/\u202f/g, ' '), new RegExp(sentence));
      await says(page, advice);
      for (const size of [desktop, phone]) {
        await page.setViewportSize(size);
        for (const colorScheme of ['light', 'dark']) {
          await page.emulateMedia({ colorScheme });
          assert.deepEqual(await violations(page), [], `${colorScheme}, ${size.width} px`);
          assert.equal(await sideways(page), 0, `${size.width} px`);
        }
      }
    });

    it(`${scene}: nothing is cut off at 320 px in German`, async () => {
      const page = await show('#/battery', scene, { size: { width: 320, height: 640 }, locale: 'de-DE' });
      await filled(page);
      assert.equal(await sideways(page), 0);
      assert.doesNotMatch(await page.textContent('h1'), /\b(the|battery|with)\b/);
    });
  }

  it('stands in the navigation only where there is one', async () => {
    const page = await show('#/', []);
    await says(page, 'Everything delivered');
    assert.equal(await page.locator('.top').getByRole('link', { name: 'Battery' }).count(), 0);
    fake.set({ scenes: ['nominal'], devices });
    await page.locator('.top').getByRole('link', { name: 'Battery' }).click();
    await says(page, 'Charging with 40.8 of 47 A allowed.');
    await page.keyboard.type('gh');
    await says(page, 'Everything delivered');
    await page.keyboard.type('gb');
    await says(page, 'What limits the battery now');
  });

  it('of a gateway that has none leads on', async () => {
    const page = await show('#/battery', []);
    await says(page, 'This gateway has no battery.');
    await page.getByRole('link', { name: 'Open Home' }).click();
    await says(page, 'Everything delivered');
  });

  it('several batteries each have their page', async () => {
    const page = await show('#/battery', ['nominal', 'discharging']);
    await says(page, 'Charging with 40.8 of 47 A allowed.');
    await page.getByRole('link', { name: 'Battery 2' }).click();
    await says(page, 'Discharging with 32.4 of 100 A allowed.');
    assert.equal(new URL(page.url()).hash, '#/battery/battery-2');
  });

  it('and its packs are one battery on Home', async () => {
    const page = await show('#/', 'nominal');
    await says(page, 'Everything delivered');
    assert.match(await page.textContent('[data-place=battery] b'), /^2\.\d\d/);
  });
});

describe('the cells', () => {
  it('are bars around the average; the highest and the lowest say their voltage', async () => {
    const page = await show('#/battery', 'nominal');
    await says(page, 'From lowest to highest 31 mV, which is fine below 100 mV.');
    assert.equal(await page.locator('.cells [data-cell]').count(), 16);
    const marked = await page.locator('.cells .cell.marked').count();
    assert.equal(marked, 2);
    assert.match(await page.textContent('[data-cell="11"]'), /3\.393/);
    assert.match(await page.textContent('[data-cell="13"]'), /3\.362/);
    assert.equal(await page.locator('.cells .balancing').count(), 2);
    await page.getByRole('img', { name: /^16 cells. Highest cell 11 with 3\.393/ }).waitFor();
  });

  it('show their voltage between the limits of the BMS when asked', async () => {
    const page = await show('#/battery', 'nominal');
    await page.getByRole('button', { name: 'Voltage' }).click();
    await until(page, 'the lines', () => document.querySelectorAll('.cells .limit').length === 4);
    assert.match(await page.textContent('.cells'), /BMS switches off above 3\.650/);
  });

  it('are a table when asked', async () => {
    const page = await show('#/battery', 'nominal', { size: phone });
    await page.getByRole('button', { name: 'As a table' }).first().click();
    assert.equal(await page.locator('[data-pack] .table-box tbody tr').count(), 16);
    await says(page, 'highest, being balanced');
    assert.deepEqual(await violations(page), []);
  });

  it('of a silent pack are told as old', async () => {
    const page = await show('#/battery', 'silent');
    await says(page, 'These voltages are 28 min old.');
    assert.equal(await page.locator('.pack.stale').count(), 1);
  });

  it('of several packs stand apart, four cells as well as sixteen', async () => {
    const page = await show('#/battery', 'two_packs');
    await page.locator('[data-pack=pack-2] .cells [data-cell]').first().waitFor();
    assert.equal(await page.locator('[data-pack=pack-1] [data-cell]').count(), 16);
    assert.equal(await page.locator('[data-pack=pack-2] [data-cell]').count(), 15);
  });
});

describe('what limits', () => {
  for (const size of [desktop, phone]) {
    it(`names the rule that limits now, why, and where on its curve, ${size.width} px`, async () => {
      const page = await show('#/battery', 'nominal', { size });
      const row = page.locator('[data-way=charge] li.now');
      assert.match(await row.textContent(), /Highest cell voltage.*limits now.*47/);
      assert.match(await page.textContent('[data-why=charge]'), /Why 47/);
      await says(page, 'Cell 11 is at 3.393 V. From 3.375 V on, charging slows.');
      await page.getByRole('img', { name: /now 3\.393.V, 47.A/ }).waitFor();
      await says(page, 'Nothing reduces it.');
      await page.getByRole('button', { name: 'Show all 4 rules' }).click();
      assert.equal(await page.locator('[data-way=discharge] .limits li').count(), 4);
    });
  }

  it('says the reason in the language of the reader', async () => {
    const page = await show('#/battery', 'nominal', { locale: 'de-DE' });
    await says(page, 'Zelle 11 liegt bei 3,393 V');
  });

  it('keeps the words of the gateway where only it knows more', async () => {
    const page = await show('#/battery', 'implausible', { locale: 'de-DE' });
    await says(page, 'Der Messwert widerspricht sich');
    await page.locator('[data-why=charge] [lang=en]', { hasText: 'Cell 7 is read as 0.012 V' }).waitFor();
  });

  it('a cell goes over its limit: the page names the rule, charging falls to zero', async () => {
    const page = await show('#/battery', 'free');
    await says(page, 'Discharging with 12 of 100 A allowed.');
    assert.match(await page.textContent('[data-limit=charge]'), /^100/);
    fake.set({ scenes: ['over_limit'], devices });
    await until(page, 'the limit to fall', () => /^0\s/.test(document.querySelector('[data-limit=charge]').textContent));
    assert.match(await page.textContent('[data-way=charge] li.now'), /Highest cell voltage/);
    await says(page, 'Cell 11 is at 3.520 V');
    await says(page, 'Voltage too high');
  });

  it('an inverter that goes on drawing more than it may is named after some seconds', async () => {
    const page = await show('#/battery', 'disobedient');
    await says(page, 'Charging with 58 of 47 A allowed.');
    await says(page, 'Charging with 58 A, although 47 A are allowed.', 20_000);
    await says(page, 'The inverter does not follow.');
  });
});

describe('the temporary limit', () => {
  it('is asked for, confirmed, shown with its end, and ends by itself', async () => {
    fake.set({ scenes: ['nominal'], devices, lower_s: 6 });
    const page = await open(browser, `${url}#/battery`);
    pages.push(page);
    await page.getByLabel('At most, in A').fill('20');
    await page.getByRole('button', { name: 'Limit charging', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: /Limit charging to 20/ });
    await dialog.waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Leave it');
    assert.deepEqual(await violations(page), []);
    assert.match(await dialog.textContent(), /Now 47.A of charging are allowed/);
    await dialog.getByRole('button', { name: /^Limit to 20/ }).click();
    await says(page, 'Taken: at most 20 A of charging');
    await says(page, 'A temporary limit of 20 A holds for another about');
    assert.match(await page.textContent('[data-way=charge] li.now'), /Temporary limit/);
    await until(page, 'the limit to end', () => !document.querySelector('[data-remote]'), null, 15_000);
    assert.match(await page.textContent('[data-limit=charge]'), /^47/);
  });

  it('is left by Escape, and a number that does not fit is said beside the field', async () => {
    const page = await show('#/battery', 'nominal');
    const field = page.getByLabel('At most, in A');
    await field.fill('120');
    await page.keyboard.press('Enter');
    await says(page, 'Type a number from 0 to 100.');
    await field.fill('12,5');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await until(page, 'the dialog to close', () => !document.querySelector('dialog[open]'));
    assert.equal(await page.locator('[data-remote]').count(), 0);
  });

  it('cannot be used by who may only look', async () => {
    fake.set({ scenes: ['nominal'], devices, may_act: false });
    const page = await open(browser, `${url}#/battery`);
    pages.push(page);
    await says(page, 'Acting needs a password');
    const button = page.getByRole('button', { name: 'Limit charging', exact: true });
    assert.equal(await button.getAttribute('aria-disabled'), 'true');
  });
});

describe('without contact', () => {
  it('the battery is not told as it was', async () => {
    const page = await show('#/battery', 'nominal');
    await says(page, 'Charging with 40.8 of 47 A allowed.');
    fake.set({ down: true });
    await says(page, 'No contact with the gateway since');
    await says(page, 'What the battery does now is not known.', 20_000);
    await says(page, 'The gateway itself goes on limiting');
  });
});
