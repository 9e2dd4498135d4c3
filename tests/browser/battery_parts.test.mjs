// SPDX-License-Identifier: Apache-2.0
// Around a battery: what is said on its line, the settings of its electronics, alerts, history.
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

const house = { scenes: ['nominal'], devices: ['grid', 'battery', 'pack-1', 'pack-2'], alerts: [21, 22, 23] };

async function show(hash, state = {}, options) {
  fake.set({ ...house, ...state });
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

const everything = [
  ['a battery with alerts and history', '#/battery', {}],
  ['a battery of a gateway that keeps neither', '#/battery', { alerts: null, history: false }],
  ['the line', '#/battery/battery/can', {}],
  ['the line without an inverter', '#/battery/battery/can', { scenes: ['no_inverter'] }],
  ['the line with a silent inverter', '#/battery/battery/can', { scenes: ['inverter_silent'] }],
  ['settings', '#/battery/battery/registers', {}],
  ['settings of one of two packs', '#/battery/battery/registers/pack-2', { scenes: ['two_packs'] }],
  ['settings of a device', '#/devices/pack-1/registers', {}],
  ['settings of a device that has none', '#/devices/grid/registers', {}],
  ['alerts', '#/alerts', {}],
  ['no alert', '#/alerts', { alerts: [] }],
  ['a gateway without alerts', '#/alerts', { alerts: null }],
];

describe('no violation of WCAG 2.2 AA, nothing cut off', () => {
  for (const [name, hash, state] of everything) {
    it(name, async () => {
      const page = await show(hash, state);
      await filled(page);
      for (const size of [desktop, phone]) {
        await page.setViewportSize(size);
        for (const colorScheme of ['light', 'dark']) {
          await page.emulateMedia({ colorScheme });
          assert.deepEqual(await violations(page), [], `${colorScheme}, ${size.width} px`);
          assert.equal(await sideways(page), 0, `${size.width} px`);
        }
      }
      const small = await show(hash, state, { size: { width: 320, height: 640 }, locale: 'de-DE' });
      await filled(small);
      assert.equal(await sideways(small), 0, '320 px in German');
    });
  }
});

describe('the line', () => {
  const tip = (page) => page.getByRole('tooltip');

  it('shows each frame with name, direction, rate, age and bytes; unknown ones raw', async () => {
    const page = await show('#/battery/battery/can');
    await says(page, 'Battery and inverter talk to each other.');
    const row = (id) => page.locator(`tr[data-id="${id}"]`);
    const limits = (await row('351').textContent()).replace(/\u202f/g, ' ');
    assert.match(limits, /351 Limits.*from the battery.*1\.00 s.*ago.*28 02 D6 01 E8 03 C0 01/);
    assert.match(await row('4A2').textContent(), /unknown.*from the inverter.*DE AD BE EF 01/);
    assert.match(await page.textContent('[aria-labelledby=h-counters]'), /Frames sent.*Not sent in time/);
    await page.getByRole('group', { name: 'Whose frames' }).getByRole('button', { name: 'Inverter' }).click();
    await until(page, 'two rows', () => document.querySelectorAll('tr[data-id]').length === 2);
  });

  it('says what a frame means to the mouse', async () => {
    const page = await show('#/battery/battery/can');
    await page.locator('tr[data-id="351"]').hover();
    await tip(page).waitFor();
    const text = (await tip(page).textContent()).replace(/\u202f/g, ' ');
    assert.match(text, /Charge up to55\.20 V.*Charge with at most47\.0 A/);
    assert.deepEqual(await violations(page), []);
    await page.locator('h1').hover();
    await until(page, 'the tip to go', () => !document.querySelector('.tip'));
  });

  it('to the keyboard', async () => {
    const page = await show('#/battery/battery/can');
    const frame = page.getByRole('button', { name: /^35A/ });
    await frame.focus();
    await says(page, 'The cells differ too much');
    assert.equal(await frame.getAttribute('aria-describedby'), await tip(page).getAttribute('id'));
    await page.keyboard.press('Escape');
    await until(page, 'the tip to go', () => !document.querySelector('.tip'));
  });

  it('and to a finger, inside of the page', async () => {
    const page = await show('#/battery/battery/can', {}, { size: phone });
    await page.getByRole('button', { name: /^355/ }).tap();
    await says(page, '78.20 %');
    const box = await tip(page).boundingBox();
    assert.ok(box.x >= 0 && box.x + box.width <= phone.width, JSON.stringify(box));
    assert.equal(await sideways(page), 0);
  });

  it('can be stopped to read, and goes on', async () => {
    const page = await show('#/battery/battery/can');
    await says(page, 'Battery and inverter talk');
    await page.getByRole('button', { name: 'Stop to read' }).click();
    fake.set({ ...house, scenes: ['inverter_silent'] });
    await says(page, 'Go on');
    await page.getByRole('button', { name: 'Go on' }).click();
    await says(page, 'The battery talks, the inverter is silent.');
  });
});

describe('the settings of the electronics', () => {
  const row = (page, name) => page.locator(`[data-parameter=${name}]`);

  it('stand in groups with unit, range and meaning', async () => {
    const page = await show('#/battery/battery/registers');
    await says(page, 'The settings that Pack 1 keeps itself.');
    const text = (await row(page, 'over_voltage_cutoff').textContent()).replace(/\u202f/g, ' ');
    assert.match(text, /Cell voltage that stops charging.*opens its switch.*From 1 200 to 4 500 mV3 650 mV/);
    assert.match((await row(page, 'capacity').textContent()).replace(/\u202f/g, ' '), /0\.1 to 655 Ah280 Ah/);
    assert.equal(await row(page, 'series_cells').getByRole('button').count(), 0, 'not writable');
    assert.match(await row(page, 'odd_register').textContent(), /Odd register/);
    assert.match(await row(page, 'set_state_of_charge').textContent(), /only to be set/);
  });

  for (const size of [desktop, phone]) {
    it(`are changed by keyboard alone: old, new, written, read back, ${size.width} px`, async () => {
      const page = await show('#/battery/battery/registers', { relay_delay_ms: 600 }, { size });
      const change = page.getByRole('button', { name: 'Change: Cell voltage that stops charging' });
      await change.focus();
      await page.keyboard.press('Enter');
      await until(page, 'the field', () => document.activeElement.id === 'p-over_voltage_cutoff');
      await page.keyboard.type('5000');
      await page.keyboard.press('Enter');
      await says(page, 'Type a number from 1 200 to 4 500 mV');
      await page.keyboard.press('ControlOrMeta+a');
      await page.keyboard.type('3600');
      await page.keyboard.press('Enter');
      const dialog = page.getByRole('dialog');
      await dialog.waitFor();
      const asked = (await dialog.textContent()).replace(/\u202f/g, ' ');
      assert.match(asked, /change to 3 600 mV\?/);
      assert.match(asked, /Now it is 3 650 mV\./);
      assert.match(asked, /can set them on fire/);
      assert.deepEqual(await violations(page), []);
      assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Leave it');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await says(page, 'Sent to the device at');
      assert.equal(await row(page, 'over_voltage_cutoff').locator('.is').getAttribute('data-value'), '3650');
      await says(page, 'read back: 3 600 mV.');
      assert.equal(await row(page, 'over_voltage_cutoff').locator('.is').getAttribute('data-value'), '3600');
      const focused = await page.evaluate(() => document.activeElement.getAttribute('aria-label'));
      assert.equal(focused, 'Change: Cell voltage that stops charging');
    });
  }

  it('keep decimals, and are left by Escape', async () => {
    const page = await show('#/battery/battery/registers');
    await page.getByRole('button', { name: 'Change: Capacity' }).click();
    const field = page.getByLabel('New value of Capacity');
    await field.fill('270,255');
    await page.keyboard.press('Enter');
    await says(page, 'in steps of 0.01');
    await page.keyboard.press('Escape');
    await until(page, 'the field to go', () => !document.querySelector('.edit'));
    assert.equal(await page.locator('dialog[open]').count(), 0);
  });

  it('a refusal is said in words and nothing looks changed', async () => {
    const page = await show('#/battery/battery/registers', { relay_answer: 'denied' });
    await page.getByRole('button', { name: 'Change: A cell is full at' }).click();
    await page.getByLabel('New value of A cell is full at').fill('2000');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByRole('button', { name: /^Change to/ }).click();
    await says(page, 'Not done, nothing has changed. Either it would break the order');
    assert.equal(await row(page, 'cell_full_voltage').locator('.is').getAttribute('data-value'), '3500');
  });

  it('what can only be done asks first', async () => {
    const page = await show('#/battery/battery/registers');
    await page.getByRole('button', { name: 'Restart the BMS' }).click();
    const dialog = page.getByRole('dialog', { name: 'Restart the BMS?' });
    await dialog.getByRole('button', { name: 'Restart the BMS' }).click();
    await says(page, 'Done: the device has taken it.');
  });

  it('are only shown to who may not act', async () => {
    const page = await show('#/battery/battery/registers', { may_act: false });
    await says(page, 'Acting needs a password');
    const change = page.getByRole('button', { name: 'Change: Capacity' });
    assert.equal(await change.getAttribute('aria-disabled'), 'true');
    await change.click({ force: true });
    assert.equal(await page.locator('.edit').count(), 0);
  });

  it('are found from the battery and from the device', async () => {
    const page = await show('#/devices/pack-1');
    await page.getByRole('link', { name: 'Settings of Pack 1' }).click();
    await says(page, 'The settings that Pack 1 keeps itself.');
    const battery = await show('#/battery', { scenes: ['two_packs'] });
    await battery.getByRole('link', { name: 'Settings of the battery electronics (BMS)' }).click();
    await battery.getByRole('link', { name: 'Pack 2' }).click();
    await says(battery, 'The settings that Pack 2 keeps itself.');
  });
});

describe('alerts', () => {
  for (const size of [desktop, phone]) {
    it(`lead from the battery to the list, are acknowledged, filtered, removed, ${size.width} px`, async () => {
      const page = await show('#/battery', {}, { size });
      await page.getByRole('link', { name: '1 alert to look at' }).click();
      await says(page, 'One alert is new.');
      await says(page, '3.520 V, where the bound is 3.450 V.');
      await says(page, 'Pack 1 does not answer since');
      await page.getByRole('button', { name: /^Acknowledge: The highest cell/ }).click();
      await says(page, 'Alert acknowledged.');
      await says(page, '2 alerts go on; they were seen.');
      await page.getByRole('button', { name: 'Over', exact: true }).click();
      await until(page, 'one alert', () => document.querySelectorAll('[data-alert]').length === 1);
      await page.getByRole('button', { name: 'Remove what is over' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Remove what is over' }).click();
      await says(page, 'None is over');
      await page.getByRole('button', { name: 'New', exact: true }).click();
      await says(page, 'None is new');
    });
  }

  it('appear while one looks', async () => {
    const page = await show('#/alerts', { alerts: [] });
    await says(page, 'There was no alert.');
    fake.set(house);
    await says(page, 'One alert is new.');
    assert.match(await page.title(), /^Alerts –/);
  });

  it('cannot be acknowledged by who may only look', async () => {
    const page = await show('#/alerts', { may_act: false });
    await says(page, 'Acting needs a password');
    assert.equal(await page.getByRole('button', { name: /^Acknowledge/ }).getAttribute('aria-disabled'), 'true');
  });

  it('of a gateway that keeps none lead to its faults', async () => {
    const page = await show('#/alerts', { alerts: null });
    await says(page, 'This gateway keeps no alerts.');
    await page.getByRole('link', { name: 'Open Faults' }).click();
    await says(page, 'No fault now.');
  });
});

describe('history', () => {
  it('draws charge and current of a day, a week, a month, with its gap in words', async () => {
    const page = await show('#/battery');
    const chart = page.getByRole('slider', { name: /^Charge of House battery over the last 24 hours/ });
    await chart.waitFor();
    await says(page, 'No reading from');
    await page.getByRole('button', { name: 'Week' }).click();
    await page.getByRole('slider', { name: /^Current of House battery over the last week/ }).waitFor();
    await page.getByRole('button', { name: 'Month' }).click();
    const month = page.getByRole('slider', { name: /^Charge of House battery over the last month/ });
    await month.focus();
    await page.keyboard.press('ArrowLeft');
    assert.match(await month.getAttribute('aria-valuetext'), /\d/);
  });

  it('has a table, and its CSV comes from the gateway', async () => {
    const page = await show('#/battery', {}, { size: phone });
    const charge = page.locator('[data-history=soc_permille]');
    await charge.getByRole('button', { name: 'As a table' }).click();
    assert.ok((await charge.locator('.table-box tbody tr').count()) > 250);
    const link = charge.getByRole('link', { name: 'CSV' });
    const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
    assert.equal(download.suggestedFilename(), 'house-battery-soc_permille.csv');
    assert.match(await link.getAttribute('href'), /format=csv/);
  });

  it('of a gateway that keeps none is said plainly', async () => {
    const page = await show('#/battery', { history: false });
    await says(page, 'This gateway keeps no history');
  });
});
