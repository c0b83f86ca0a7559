import type { SecrecyTables } from "./tables";

/** Which fields their names call secrets, as `clodo.blueprint.secrecy` has it. */
export class Secrecy {
  readonly #bearing: readonly string[];
  readonly #password: RegExp;
  readonly #secret: RegExp;
  readonly #postal: RegExp;
  readonly #address: RegExp;

  constructor({ bearing, password, secret, postal, address }: SecrecyTables) {
    this.#bearing = bearing;
    this.#password = new RegExp(password);
    this.#secret = new RegExp(secret);
    this.#postal = new RegExp(postal);
    this.#address = new RegExp(address);
  }

  /** Whether a field of that name and type holds a password; `beside` are the names around it. */
  isPassword(name: string, type: string, beside: readonly string[]): boolean {
    if (!this.#bearing.includes(type) || !this.#password.test(name)) return false;
    return !(this.#postal.test(name) && beside.some((other) => this.#address.test(other)));
  }

  /** Whether it holds a password, or another secret. */
  isSecret(name: string, type: string, beside: readonly string[]): boolean {
    return this.isPassword(name, type, beside) || (this.#bearing.includes(type) && this.#secret.test(name));
  }
}
