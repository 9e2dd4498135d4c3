// SPDX-License-Identifier: Apache-2.0
// The pages against a real gateway with simulated devices and a real broker.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { desktop, launch, open, phone, says, sideways, until, violations } from './browser.mjs';
import { missing, Site } from './site.mjs';

const skip = missing.length > 0 && `not built: ${missing.join(', ')}`;
// A device may take 60 s until it is asked again, a target as long until it is tried again.
const patience_ms = 90_000;

describe('a real gateway', () => {
  const site = new Site();
  let browser;
  let pages = [];
  let storageState; // who signed in

  before(async () => {
    if (skip) {
      return;
    }
    await site.start();
    browser = await launch();
    const page = await open(browser, site.url);
    await page.getByLabel('Password').fill(site.password);
    await page.keyboard.press('Enter');
    await says(page, 'Sign out', 30_000);
    storageState = await page.context().storageState();
    await page.context().close();
  });
  after(async () => {
    await browser?.close();
    await site.stop();
  });
  afterEach(async () => {
    const trouble = pages.flatMap((page) => page.trouble);
    await Promise.all(pages.map((page) => page.context().close()));
    pages = [];
    assert.deepEqual(trouble, [], 'the console is silent');
  });
  const show = async (hash, options) => {
    const page = await open(browser, site.url + hash, { storageState, ...options });
    pages.push(page);
    return page;
  };

  for (const size of [desktop, phone]) {
    describe(`${size.width} px`, () => {
      it('shows a value that changes', { skip }, async () => {
        const page = await show('#/devices/grid', { size });
        const value = '[data-value=power_w] dd';
        await page.waitForSelector(value);
        const before = await page.textContent(value);
        await until(
          page,
          'another value',
          ([at, text]) => document.querySelector(at)?.textContent !== text,
          [value, before],
          30_000,
        );
      });

      it('delivery falls behind and catches up', { skip }, async () => {
        const page = await show('#/delivery', { size });
        await says(page, 'Everything is delivered.', patience_ms);
        await site.take('broker');
        await says(page, 'Delivery to broker is behind.', patience_ms);
        const waiting = () => page.getAttribute('[data-waiting]', 'data-waiting').then(Number);
        const first = await waiting();
        await until(
          page,
          'more to wait',
          (few) => Number(document.querySelector('[data-waiting]').dataset.waiting) > few + 5,
          first,
          30_000,
        );
        await site.bring('broker');
        await says(page, 'Everything is delivered.', patience_ms);
        await until(
          page,
          'few to wait',
          (few) => Number(document.querySelector('[data-waiting]').dataset.waiting) <= few + 5,
          first,
          30_000,
        );
      });

      it('a fault comes and goes', { skip }, async () => {
        const page = await show('#/', { size });
        await says(page, 'Workshop');
        await site.take('workshop');
        await site.bring('odd workshop');
        await says(page, 'Workshop answers wrongly since', patience_ms);
        await page.waitForSelector('tr.stale[data-device=workshop]');
        await site.take('odd workshop');
        await site.bring('workshop');
        const gone = () => !document.body.innerText.includes('answers wrongly');
        await until(page, 'the note to go', gone, null, patience_ms);
        await page.waitForSelector('tr[data-device=workshop]:not(.stale)', { timeout: patience_ms });
      });

      it('a silent device is told as silent, its old value not repeated', { skip }, async () => {
        const page = await show('#/', { size });
        await page.waitForSelector('tr[data-device=workshop]:not(.stale)', { timeout: patience_ms });
        await site.take('workshop');
        await says(page, '1 of 3 devices does not answer', patience_ms);
        assert.equal(await page.textContent('tr[data-device=workshop] td.now b'), '–');
        await site.bring('workshop');
        await page.waitForSelector('tr[data-device=workshop]:not(.stale)', { timeout: patience_ms });
      });

      it('the relay is switched, and back', { skip }, async () => {
        const page = await show('#/devices/workshop', { size });
        const shown = () => page.textContent('.control-now b');
        await page.getByRole('button', { name: /^(Open|Close) the relay$/ }).click({ timeout: 30_000 });
        await says(page, 'read back:', 30_000);
        const first = await shown();
        await page.getByRole('button', { name: first === 'open' ? 'Close the relay' : 'Open the relay' }).click();
        await says(page, `read back: ${first === 'open' ? 'closed' : 'open'}.`, 30_000);
        assert.notEqual(await shown(), first);
      });

      it('no page violates WCAG 2.2 AA or moves sideways', { skip }, async () => {
        for (const hash of ['#/', '#/devices', '#/devices/grid', '#/devices/roof', '#/devices/workshop', '#/delivery', '#/faults']) {
          const page = await show(hash, { size });
          await until(page, 'the page to be filled', () => document.querySelector('h1') && !document.querySelector('[aria-busy="true"], .bone'));
          for (const colorScheme of ['light', 'dark']) {
            await page.emulateMedia({ colorScheme });
            assert.deepEqual(await violations(page), [], `${hash}, ${colorScheme}`);
          }
          assert.equal(await sideways(page), 0, hash);
        }
      });

      it('each chart has a table', { skip }, async () => {
        const page = await show('#/devices/grid', { size });
        await page.getByRole('button', { name: 'As a table' }).click({ timeout: 30_000 });
        await page.waitForSelector('.table-box tbody tr');
      });
    });
  }
});
