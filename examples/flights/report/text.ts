/** Numbers and names as a page shows them. */
const whole = new Intl.NumberFormat("en-US");

export function count(value: number): string {
  return whole.format(Math.round(value));
}

/** A share from 0 to 1: `78.9 %`. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** A whole number with a true minus. */
export function signed(value: number): string {
  return count(value).replace("-", "−");
}

export function minutes(value: number): string {
  return `${value.toFixed(1)} min`;
}

export function escape(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

const monthNames = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

/** `2001-02` or `2001-02-14` becomes `February`. */
export function monthName(date: string): string {
  return monthNames[Number(date.slice(5, 7)) - 1] ?? date;
}
