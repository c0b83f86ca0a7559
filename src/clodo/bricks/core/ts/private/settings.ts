/** A number from the Worker's variables. */
export function setting(text: string | undefined, usual: number): number {
  const value = text?.trim() ? Number(text) : usual;
  return Number.isFinite(value) && value >= 0 ? value : usual;
}
