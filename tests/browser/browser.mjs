// SPDX-License-Identifier: Apache-2.0
// Starts Debian's Chromium, opens pages at a size and theme, asks axe-core for what is wrong.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

export const phone = { width: 390, height: 844 };
export const desktop = { width: 1280, height: 800 };

export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });

/**
 * A page of its own, in Berlin and English where not told otherwise. `page.trouble` collects what
 * the console complains of: errors of scripts and whatever the content security policy refused.
 */
export async function open(browser, url, { size = desktop, dark = false, ...more } = {}) {
  const context = await browser.newContext({
    viewport: size,
    colorScheme: dark ? 'dark' : 'light',
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    hasTouch: size.width < 600,
    isMobile: size.width < 600,
    reducedMotion: 'reduce',
    bypassCSP: false,
    ...more,
  });
  const page = await context.newPage();
  page.trouble = [];
  page.on('pageerror', (error) => page.trouble.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/net::ERR_|WebSocket|status of 4/.test(message.text())) {
      page.trouble.push(message.text());
    }
  });
  await page.goto(url);
  return page;
}

/** Violations of WCAG 2.2 AA and of axe's own good practice, each as one readable line. */
export async function violations(page) {
  // evaluate() runs outside of the page's policy, unlike a script tag
  await page.evaluate(axe);
  const found = await page.evaluate(() =>
    window.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    }),
  );
  return found.violations.flatMap((one) =>
    one.nodes.map((node) => `${one.id}: ${node.target.join(' ')}: ${node.failureSummary}`),
  );
}

/** How far the page can be pushed sideways. */
export const sideways = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Waits until `check`, run in the page with `argument`, gives something true; says what it waited for. */
export async function until(page, what, check, argument, patience_ms = 10_000) {
  try {
    const handle = await page.waitForFunction(check, argument, { timeout: patience_ms });
    return await handle.jsonValue();
  } catch {
    const text = await page.evaluate(() => document.body.innerText.slice(0, 2000));
    throw new Error(`waited ${patience_ms} ms in vain for ${what}; the page says:\n${text}`);
  }
}

/** Waits until the page says `text` somewhere a person sees it. */
export const says = (page, text, patience_ms) =>
  until(
    page,
    `"${text}"`,
    (wanted) => document.body.innerText.replace(/\u202f/g, ' ').includes(wanted),
    text,
    patience_ms,
  );
