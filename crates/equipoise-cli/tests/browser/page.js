// Drives the page of a running server in Chromium: node page.js ADDRESS. Prints one line for each thing that holds, and ends with
// code 1 at the first that does not. NODE_PATH must lead to playwright-core and axe-core.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const { chromium } = require('playwright-core');

const AXE = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const base = process.argv[2];
const CHROMIUM = process.env.CHROMIUM || '/usr/bin/chromium';

/** The list: for each row its id, its score and its parts. */
const rows = (page) =>
  page.$$eval('#answer .list > li', (all) =>
    all.map((row) => ({
      id: row.dataset.id,
      score: Number(row.querySelector('.score data').value),
      parts: [...row.querySelectorAll('.parts data')].map((part) => Number(part.value)),
    })),
  );
const ids = async (page) => (await rows(page)).map((row) => row.id);

/** Puts a slider to a value as a hand does: the value changes, and the page hears of it. */
const slide = async (page, modality, value) => {
  const answered = page.waitForResponse((answer) => answer.url().includes(`weight.${modality}=${value}`));
  await page.locator(`[name="weight.${modality}"]`).evaluate((slider, value) => {
    slider.value = value;
    slider.dispatchEvent(new Event('input', { bubbles: true }));
  }, String(value));
  await answered;
  await page.waitForFunction((to) => location.search.includes(to), `weight.${modality}=${value}`);
};

const faults = async (page) => {
  await page.evaluate(AXE);
  const found = await page.evaluate(() => axe.run(document));
  return found.violations
    .filter((v) => v.impact === 'serious' || v.impact === 'critical')
    .map((v) => `${v.id}: ${v.nodes.map((node) => node.html).join(' | ')}`);
};

const checks = {
  async 'a search finds a user and an item as one types'(page) {
    await page.goto(base);
    await page.locator('#q').pressSequentially('creme');
    await page.locator('#found a', { hasText: 'Crème' }).first().waitFor();
    await page.locator('#q').fill('user-000');
    await page.locator('#found a.chip').first().click();
    await page.waitForURL(/user=user-000/);
    assert.equal((await rows(page)).length, 10);
  },

  async 'parts add up to the score, the negative ones too'(page) {
    await page.goto(`${base}/?user=user-0003&n=100`);
    const all = await rows(page);
    assert.ok(all.length > 20);
    for (const { id, score, parts } of all) {
      assert.equal(parts.length, 4, 'ids, audio, image, text');
      const sum = parts.reduce((a, b) => a + b, 0);
      assert.ok(Math.abs(sum - score) < 1e-5, `${id}: ${parts} make ${sum}, not ${score}`);
    }
    assert.ok(all.some(({ parts }) => parts.some((part) => part < 0)), 'some part takes from a score');
    const outside = await page.$$eval('.list .parts-bar', (bars) =>
      bars.flatMap((bar) => {
        const own = bar.getBoundingClientRect();
        return [...bar.querySelectorAll('.part')].filter((part) => {
          const at = part.getBoundingClientRect();
          return at.left < own.left - 1 || at.right > own.right + 1;
        });
      }).length,
    );
    assert.equal(outside, 0, 'every part is drawn inside of its bar');
  },

  async 'a slider changes the order at once, says from where, and keeps its focus'(page) {
    await page.goto(`${base}/?user=user-0003`);
    const before = await ids(page);
    await page.locator('[name="weight.text"]').focus();
    await slide(page, 'text', 0);
    assert.notDeepEqual(await ids(page), before);
    assert.ok((await rows(page)).every(({ parts }) => parts[3] === 0), 'text is silenced');
    assert.ok((await page.locator('.moved').count()) > 0);
    assert.equal(await page.evaluate(() => document.activeElement.name), 'weight.text');
    assert.match(await page.locator('#said').textContent(), /10 items/);
    const silenced = await ids(page);
    await page.reload();
    assert.deepEqual(await ids(page), silenced, 'the address holds the state');
    await page.locator('#reset a').click();
    await page.waitForURL((url) => !url.search.includes('weight'));
    assert.deepEqual(await ids(page), before);
  },

  async 'a basket is filled and emptied, and its items are the reason'(page) {
    await page.goto(base);
    const [first] = await ids(page);
    await page.locator('#answer .add').first().click();
    await page.waitForURL(/basket=/);
    assert.ok(!(await ids(page)).includes(first), 'what is in the basket is not listed');
    await page.locator('#answer .add').first().click();
    await page.waitForURL(/basket=.*basket=/);
    assert.equal(await page.locator('.basket li').count(), 2);
    const reasons = await page.$$eval('.because a', (all) => new Set(all.map((a) => a.textContent)).size);
    assert.equal(reasons, 2);
    await page.locator('.basket .remove').first().click();
    await page.waitForURL((url) => url.searchParams.getAll('basket').length === 1);
  },

  async 'similar items differ by modality'(page) {
    await page.goto(`${base}/?user=user-0003`);
    await page.locator('#answer .list h3 a').first().click();
    await page.waitForURL(/item=/);
    const similar = () => page.$$eval('.similar a', (all) => all.map((a) => a.textContent));
    const whole = await similar();
    await page.locator('.look .tabs a', { hasText: 'text' }).click();
    await page.waitForURL(/by=text/);
    assert.equal((await similar()).length, 10);
    assert.notDeepEqual(await similar(), whole);
    assert.match(await page.locator('.why').textContent(), /place \d+.*without text at \d+/);
  },

  async 'a second model stands beside the first'(page) {
    await page.goto(`${base}/?user=user-0003`);
    await page.locator('#with').selectOption('other');
    await page.locator('.columns.two').waitFor();
    assert.equal((await rows(page)).length, 20);
    const lefts = await page.$$eval('.column', (all) => all.map((column) => column.getBoundingClientRect().left));
    assert.ok(lefts[1] > lefts[0], 'side by side on a wide screen');
  },

  async 'pictures come from the folder and are drawn'(page) {
    await page.goto(`${base}/?user=user-0003`, { waitUntil: 'networkidle' });
    const widths = await page.$$eval('.list .tile img', (all) => all.map((image) => image.naturalWidth));
    assert.ok(widths.length > 0 && widths[0] > 0, `${widths}`);
  },

  async 'everything is reached by keyboard alone'(page) {
    await page.goto(`${base}/?user=user-0003`);
    const before = await ids(page);
    const reached = new Set();
    for (let presses = 0; presses < 60; presses += 1) {
      await page.keyboard.press('Tab');
      const focus = await page.evaluate(() => {
        const at = document.activeElement;
        const drawn = getComputedStyle(at).outlineStyle !== 'none';
        return { name: at.name || at.className || at.tagName, drawn };
      });
      assert.ok(focus.drawn || focus.name === 'BODY', `${focus.name} shows its focus`);
      reached.add(focus.name);
      if (focus.name === 'weight.text') {
        for (let k = 0; k < 20; k += 1) await page.keyboard.press('ArrowLeft');
        await page.waitForFunction(() => document.querySelector('[name="weight.text"]').value === '0');
        await page.waitForFunction(() => location.search.includes('weight.text=0&') || location.search.endsWith('weight.text=0'));
      }
    }
    for (const name of ['q', 'weight.audio', 'weight.image', 'weight.text', 'n', 'with', 'add']) {
      assert.ok(reached.has(name), `${name} among ${[...reached]}`);
    }
    assert.notDeepEqual(await ids(page), before);
    await page.keyboard.press('Enter');
    await page.waitForLoadState();
  },

  async 'no serious fault is found by axe-core in any state, light and dark'(page) {
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      for (const query of ['', '?user=user-0003&weight.text=0', '?q=o&basket=item-0001&item=item-0002&by=text', '?user=user-0003&with=other', '?user=nobody', '?no=field']) {
        await page.goto(`${base}/${query}`);
        assert.deepEqual(await faults(page), [], `${colorScheme} ${query}`);
      }
    }
  },

  async 'a dark scheme is dark'(page) {
    const brightness = async (colorScheme) => {
      await page.emulateMedia({ colorScheme });
      await page.goto(base);
      const colour = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      return Math.max(...colour.match(/\d+/g).map(Number));
    };
    assert.ok((await brightness('dark')) < 60);
    assert.ok((await brightness('light')) > 200);
  },

  async 'nothing scrolls sideways on a narrow screen'(page) {
    for (const width of [320, 390, 768]) {
      await page.setViewportSize({ width, height: 800 });
      for (const query of ['', '?user=user-0003', '?q=o&basket=item-0001&item=item-0002', '?user=user-0003&with=other', '?user=nobody']) {
        await page.goto(`${base}/${query}`);
        const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(over <= 0, `${width} ${query}: ${over} too wide`);
      }
    }
  },

  async 'a server that goes away is said, and the list stays'(page) {
    await page.goto(`${base}/?user=user-0003`);
    await page.route('**/*', (route) => route.abort());
    await page.locator('[name="weight.text"]').evaluate((slider) => {
      slider.value = '2';
      slider.dispatchEvent(new Event('input', { bubbles: true }));
    });
    await page.locator('.status', { hasText: 'does not answer' }).waitFor();
    assert.equal((await rows(page)).length, 10);
  },
};

/** Without script links and forms reach the same states. */
const withoutScript = async (browser) => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(base);
  await page.locator('#q').fill('user-0003');
  await page.locator('.search button').click();
  await page.locator('#found a.chip').first().click();
  assert.equal(await page.locator('#answer .list > li').count(), 10);
  await page.locator('#n').selectOption('20');
  await page.locator('[name="weight.text"]').focus();
  await page.keyboard.press('Home');
  await page.locator('.settings button').click();
  await page.waitForURL(/weight.text=0/);
  assert.match(page.url(), /user=user-0003/);
  assert.equal(await page.locator('#answer .list > li').count(), 20);
  await context.close();
};

(async () => {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  const foreign = [];
  const told = [];
  for (const [what, check] of Object.entries(checks)) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    context.setDefaultTimeout(20_000);
    const page = await context.newPage();
    page.on('request', (request) => request.url().startsWith(base) || foreign.push(request.url()));
    page.on('pageerror', (error) => told.push(`${what}: ${error}`));
    page.on('console', (line) => /Content Security Policy/.test(line.text()) && told.push(`${what}: ${line.text()}`));
    await check(page).catch((error) => {
      error.message = `${what}: ${error.message}`;
      throw error;
    });
    console.log(`holds: ${what}`);
    await context.close();
  }
  await withoutScript(browser);
  console.log('holds: without script forms and links reach the same states');
  assert.deepEqual(foreign, []);
  console.log('holds: no request leaves the server');
  assert.deepEqual(told, []);
  console.log('holds: no script fails, and nothing breaks the content security policy');
  await browser.close();
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
