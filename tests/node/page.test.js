// The sample's page in a real browser: a person signs up, signs in, keeps a note and a photo; another sees neither.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { Demo } from "./demo.js";
import { noBrowser as skip, openBrowser } from "./homeport.js";

let demo, browser;

before(async () => {
  if (skip) return;
  demo = await Demo.start();
  browser = await openBrowser();
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

async function person(email) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.message));
  await page.goto(demo.page);
  await page.fill("#sign-up [name=email]", email);
  await page.fill("#sign-up [name=password]", "a-long-password-1");
  await page.click("#sign-up button");
  await page.waitForSelector("#confirm:not([hidden])");
  await page.fill("#confirm [name=code]", demo.code(email));
  await page.click("#confirm button");
  await page.waitForSelector("#signed-in:not([hidden])");
  assert.equal(await page.textContent("#who"), email);
  return { page, context, problems };
}

test("a person keeps a note and a photo that another does not see", { skip, timeout: 120_000 }, async () => {
  const ada = await person("ada@example.com");
  await ada.page.fill("#write [name=text]", "Buy rope & <b>tar</b>.");
  await ada.page.click("#write button");
  await ada.page.waitForSelector("#notes li");
  assert.equal(await ada.page.textContent("#notes li"), "Buy rope & <b>tar</b>.");
  const pixel = Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");
  const photo = path.join(demo.folder, "boat.png");
  writeFileSync(photo, pixel);
  await ada.page.setInputFiles("#add-photo [name=photo]", photo);
  await ada.page.click("#add-photo button");
  await ada.page.waitForFunction(() => document.querySelector("#photos img")?.naturalWidth === 1);

  const bob = await person("bob@example.com");
  await bob.page.waitForTimeout(500);
  assert.equal(await bob.page.locator("#notes li").count(), 0);
  assert.equal(await bob.page.locator("#photos img").count(), 0);
  assert.deepEqual([...ada.problems, ...bob.problems], []);
});

test("who left before the code came is asked for a new one at sign-in", { skip, timeout: 60_000 }, async () => {
  const page = await (await browser.newContext()).newPage();
  const fill = async (form) => {
    await page.fill(`${form} [name=email]`, "cy@example.com");
    await page.fill(`${form} [name=password]`, "a-long-password-1");
    await page.click(`${form} button`);
    await page.waitForSelector("#confirm:not([hidden])");
  };
  await page.goto(demo.page);
  await fill("#sign-up");
  await page.reload();
  await fill("#sign-in");
  await page.fill("#confirm [name=code]", demo.code("cy@example.com"));
  await page.click("#confirm button");
  await page.waitForSelector("#signed-in:not([hidden])");
  assert.equal(await page.textContent("#who"), "cy@example.com");
});

test("a wrong password is said, and signs nobody in", { skip, timeout: 60_000 }, async () => {
  const page = await (await browser.newContext()).newPage();
  await page.goto(demo.page);
  await page.fill("#sign-in [name=email]", "nobody@example.com");
  await page.fill("#sign-in [name=password]", "a-wrong-password-1");
  await page.click("#sign-in button");
  await page.waitForFunction(() => document.querySelector("#status").textContent !== "");
  assert.match(await page.textContent("#status"), /Incorrect username or password/);
  assert.equal(await page.isVisible("#signed-in"), false);
});

test("the outbox opens once by its link and shows the code", { skip, timeout: 60_000 }, async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(demo.outbox);
  await page.waitForFunction(() => document.body.innerText.includes("ada@example.com"));
  const stranger = await (await browser.newContext()).newPage();
  await stranger.goto(demo.outbox);
  await stranger.waitForTimeout(1_000);
  assert.ok(!(await stranger.textContent("body")).includes("ada@example.com"));
});
