// A real Chromium for the tests of the dashboard: found on this machine, started as root too, and with
// everything written down that it or the page finds wrong.

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

/** A browser of the Chromium family; `CHROMIUM` names one that is not on the PATH. */
function chromiumPath(): string {
  const given = process.env['CHROMIUM'];
  if (given !== undefined) return given;
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    for (const name of names) {
      const file = join(folder, name);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        // Not there.
      }
    }
  }
  throw new Error('no Chromium on the PATH; set CHROMIUM to its file');
}

export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath(),
    // Chromium refuses its sandbox to root, which is who runs tests in containers.
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
}

/** Writes down everything that the page or the browser finds wrong. */
export async function listen(to: BrowserContext, complaints: string[]): Promise<void> {
  await to.addInitScript(
    "addEventListener('securitypolicyviolation', (e) => console.error('policy refused ' + e.violatedDirective + ' ' + e.blockedURI))",
  );
  to.on('console', (message) => {
    // The browser itself logs the 401 of somebody who is not signed in yet.
    if (message.type() === 'error' && !/status of 401/.test(message.text())) {
      complaints.push(message.text());
    }
  });
  to.on('weberror', (error) => complaints.push(String(error.error())));
}

/** Signs in on the page that asks for a key. */
export async function signIn(on: Page, key: string): Promise<void> {
  await on.fill('input[name=key]', key);
  await on.click('button[type=submit]');
  await on.waitForSelector('[data-testid=verdict]');
}

/** How much wider the page is than its window, px; 0 when it fits. */
export async function sidewaysPx(on: Page): Promise<number> {
  return on.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');
}
