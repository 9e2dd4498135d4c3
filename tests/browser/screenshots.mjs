// SPDX-License-Identifier: Apache-2.0
// Draws the pictures of docs/screenshots from the fake gateway: node tests/browser/screenshots.mjs
// With address and password as ./run prints them it draws the one of the README from that site.
import { mkdir, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { FakeGateway } from '../../web/test/fake_server.mjs';
import { desktop, launch, open, phone, until } from './browser.mjs';

const folder = fileURLToPath(new URL('../../docs/screenshots/', import.meta.url));
const largest = 300_000;

const silent = {
  source: 'heat',
  kind: 'device_silent',
  severity: 'warning',
  text: 'It sent nothing for 28 minutes. Its old values are marked as old. Check that it has power and that its cable is in place.',
  raised: true,
  since_age_s: 1680,
};

const house = {
  scenes: ['nominal'],
  devices: ['grid', 'roof', 'battery', 'pack-1', 'heat'],
  alerts: [21, 22, 23],
};

const [site, password] = process.argv.slice(2);
const of_site = [['home', '#/', {}, { size: desktop }]];
const of_fake = [
  ['home-phone', '#/', {}, { size: phone }],
  ['home-dark', '#/', { sun_w: 0, battery_w: -720, house_w: 900 }, { size: desktop, dark: true }],
  ['home-fault-phone', '#/', { silent: { heat: 1680 }, faults: [silent] }, { size: phone }],
  ['device', '#/devices/heat', {}, { size: desktop }],
  ['device-phone-dark', '#/devices/heat', {}, { size: phone, dark: true }],
  ['meter-gap', '#/devices/grid', { gap: true }, { size: desktop }],
  ['delivery-behind', '#/delivery', { behind: 'broker' }, { size: desktop }],
  ['faults-phone', '#/faults', { silent: { heat: 1680 }, faults: [silent] }, { size: phone }],
  ['battery', '#/battery', house, { size: desktop }],
  ['battery-phone-dark', '#/battery', house, { size: phone, dark: true }],
  ['battery-silent-phone', '#/battery', { ...house, scenes: ['silent'] }, { size: phone }],
  ['battery-line', '#/battery/battery/can', house, { size: desktop }],
  ['battery-settings-phone', '#/battery/battery/registers', house, { size: phone }],
  ['alerts-phone', '#/alerts', house, { size: phone }],
  ['sign-in-phone', '#/', { password: 'x' }, { size: phone }],
];

await mkdir(folder, { recursive: true });
const fake = new FakeGateway();
const url = site ?? (await fake.listen());
const browser = await launch();
let bad = 0;
for (const [name, hash, state, options] of site ? of_site : of_fake) {
  fake.set({ steady: true, ...state });
  const page = await open(browser, url + hash, options);
  if (site) {
    await page.evaluate(
      (body) =>
        fetch('/api/v1/session', {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body,
        }),
      JSON.stringify({ password }),
    );
    await page.reload();
  }
  await until(
    page,
    'every number to be there',
    () =>
      document.querySelector('h1') &&
      !document.querySelector('[aria-busy="true"], .bone') &&
      !/– a second/.test(document.body.innerText),
  );
  const file = `${folder}${name}.png`;
  // A whole page on a desktop; on a phone what one sees first.
  await page.screenshot({ path: file, fullPage: options.size === desktop });
  const { size } = await stat(file);
  bad += size > largest ? 1 : 0;
  console.log(`${name}.png ${Math.round(size / 1000)} kB${size > largest ? ', too large' : ''}`);
  await page.context().close();
}
await browser.close();
fake.close();
process.exitCode = bad ? 1 : 0;
