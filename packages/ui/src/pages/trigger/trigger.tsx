export function Trigger() {
  return null;
}
