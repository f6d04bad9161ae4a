import { chromium } from "playwright-core";
import { execFileSync } from "node:child_process";
const base = "http://127.0.0.1:4711";
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
const page = await context.newPage();
page.on("console", (m) => console.log("console:", m.type(), m.text()));
page.on("pageerror", (e) => console.log("error:", e.message));
page.on("request", (r) => {
  if (r.url().includes("/api/")) console.log("req", r.url().slice(21));
});
await page.goto(base + "/runs");
await page.waitForTimeout(2500);
console.log("--- start run");
const res = await fetch(base + "/api/v1/runs", {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ pipeline: "orders" }),
});
const { run } = await res.json();
await page.waitForTimeout(1500);
await page.screenshot({ path: "/tmp/shots/live-1.png" });
await page.goto(base + "/runs/" + run.id);
await page.waitForTimeout(800);
await page.screenshot({ path: "/tmp/shots/live-2.png" });
await page.waitForTimeout(5000);
await page.screenshot({ path: "/tmp/shots/live-3.png" });
await browser.close();
