/** A real browser at the page of a real server. */
import { existsSync } from "node:fs";
import { AxeBuilder } from "@axe-core/playwright";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { expect } from "vitest";
import { isLong } from "./stack.ts";

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
/** What the browser asks of outside servers by itself is switched off. */
const switches = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const patienceMs = 20_000;

export function startBrowser(): Promise<Browser> {
  const found = [process.env["MILLRACE_CHROMIUM"], ...places].find(
    (place) => place !== undefined && existsSync(place),
  );
  if (found === undefined)
    throw new Error(
      "Chromium is not installed, and the page is tested in it: install it (`apt-get install chromium`), or name one in MILLRACE_CHROMIUM.",
    );
  return chromium.launch({ executablePath: found, args: switches });
}

export interface VisitOptions {
  readonly width?: number;
  readonly scheme?: "light" | "dark";
}

/** A person's window. What must not happen in it is judged by `expectCalm`. */
export class Visit implements AsyncDisposable {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly #url: string;
  readonly #troubles: string[] = [];

  private constructor(url: string, context: BrowserContext, page: Page) {
    this.#url = url;
    this.context = context;
    this.page = page;
    page.setDefaultTimeout(patienceMs);
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning")
        this.#troubles.push(`${message.type()}: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.#troubles.push(`thrown: ${error.message}`));
    page.on("dialog", (dialog) => {
      this.#troubles.push(`a script showed: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(url) && !request.url().startsWith("data:"))
        this.#troubles.push(`asked outside: ${request.url()}`);
    });
  }

  static async begin(browser: Browser, url: string, options: VisitOptions = {}): Promise<Visit> {
    const { width = 1_440, scheme = "light" } = options;
    const context = await browser.newContext({
      viewport: { width, height: 900 },
      colorScheme: scheme,
      timezoneId: "Europe/Berlin",
    });
    return new Visit(url, context, await context.newPage());
  }

  async open(path: string): Promise<void> {
    await this.page.goto(`${this.#url}${path}`);
  }

  /** Waits until this text can be seen. */
  async sees(text: string | RegExp): Promise<void> {
    try {
      await this.page.getByText(text).locator("visible=true").first().waitFor();
    } catch (cause) {
      throw new Error(`${this.path} does not show ${String(text)}`, { cause });
    }
  }

  /** What happened that must not. */
  get troubles(): readonly string[] {
    return this.#troubles;
  }

  get path(): string {
    return this.page.url().slice(this.#url.length);
  }

  /** Whoever is tired, hurried or blind can use it: no finding of axe that is serious. */
  /** Contrast takes most of its time: in the short form it is looked at where a test says so. */
  async expectAccessible({ contrast = isLong }: { readonly contrast?: boolean } = {}): Promise<void> {
    const { violations } = await new AxeBuilder({ page: this.page })
      .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"])
      .disableRules(contrast ? [] : ["color-contrast"])
      .analyze();
    const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
    expect(
      serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(" | ")}`),
    ).toEqual([]);
  }

  /** No error in the console, no script of somebody else's, nothing asked of another server. */
  expectCalm(): void {
    expect(this.#troubles).toEqual([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close();
  }
}
