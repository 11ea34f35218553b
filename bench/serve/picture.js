// Takes pictures of the page: node picture.js ADDRESS FOLDER. NODE_PATH must lead to playwright-core. page-light.png and
// page-dark.png are those of the documents; the others are to be looked at.
'use strict';
const { chromium } = require('playwright-core');

const [base, folder] = process.argv.slice(2);
const desk = { width: 1120, height: 980 };
const phone = { width: 390, height: 844 };
const pages = [
  ['page', desk, '/?user=customer-030&weight.image=1.5&weight.text=1', false],
  ['look', desk, '/?user=customer-030&item=P014&by=image', true],
  ['basket', phone, '/?basket=P003&basket=P014', true],
  ['search', desk, '/?q=lamp', false],
];

(async () => {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox'] });
  for (const colorScheme of ['light', 'dark']) {
    for (const [name, viewport, query, fullPage] of pages) {
      const page = await browser.newPage({ viewport, colorScheme, deviceScaleFactor: 1.5 });
      await page.goto(base + query);
      // Pictures further down are loaded when they come near.
      await page.$$eval('img', (all) => all.forEach((image) => (image.loading = 'eager')));
      await page.waitForLoadState('networkidle');
      await page.screenshot({ path: `${folder}/${name}-${colorScheme}.png`, fullPage });
      await page.close();
    }
  }
  await browser.close();
})();
