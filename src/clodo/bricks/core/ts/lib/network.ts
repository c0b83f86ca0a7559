/** Of IPv6 the first half: whoever has one address of a network has all the others too. */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  if (address.includes(".")) return address.slice(address.lastIndexOf(":") + 1);
  const [front = "", back] = address.toLowerCase().split("::");
  const head = front.split(":").filter(Boolean);
  const tail = back?.split(":").filter(Boolean) ?? [];
  const zeros = back === undefined ? 0 : Math.max(0, 8 - head.length - tail.length);
  const groups = [...head, ...Array<string>(zeros).fill("0"), ...tail];
  return groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, "")).join(":");
}
