/** The token that this browser sends, where the server wants one. It is kept for the tab's life only, unless the person asks otherwise. */
const name = "millrace.token";

export function token(): string | undefined {
  return sessionStorage.getItem(name) ?? localStorage.getItem(name) ?? undefined;
}

export function keepToken(value: string, isLasting: boolean): void {
  forgetToken();
  (isLasting ? localStorage : sessionStorage).setItem(name, value);
}

export function forgetToken(): void {
  sessionStorage.removeItem(name);
  localStorage.removeItem(name);
}
