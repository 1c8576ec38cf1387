// What was written and is on its way to our server: one after the other, each once, nothing lost.
import { postForm, randomKey } from "./http.js";

/** The messages of one composer that the server has not answered for. */
export class Outbox {
  /**
   * `told` learns of each answer; `asked` of a question, and says whether to send all the same; `halted` of a server that
   * does not answer, or not to us.
   */
  constructor(address, { told, asked, halted }) {
    this.address = address;
    this.told = told;
    this.asked = asked;
    this.halted = halted;
    this.items = [];
    this.busy = false;
  }

  get texts() {
    return this.items.map((item) => item.text);
  }

  /** Adds a message; a key that was used before makes it the same message once more. */
  add(text, { key = randomKey(), replaces = "", seen = "", anyway = "", bubble }) {
    this.items.push({ text, key, replaces, seen, anyway, bubble });
    return this.run();
  }

  /** Takes the last message back, to be changed or sent again. */
  takeBack() {
    return this.items.pop();
  }

  async run() {
    if (this.busy) return;
    this.busy = true;
    while (this.items.length) {
      const item = this.items[0];
      const answer = await this.post(item);
      if (!answer) break;
      if (answer.code === "handled_by_other" && (await this.asked(answer.message))) {
        item.anyway = "1";
        continue;
      }
      this.items.shift();
      await this.told(item, answer);
    }
    this.busy = false;
  }

  /** The answer about this message; none when it has to be asked for again. */
  async post({ text, key, replaces, seen, anyway }) {
    try {
      const { status, body } = await postForm(this.address, { message: text, key, replaces, seen, anyway });
      if (body.state || status === 409 || status === 422) return body;
      this.halted(body);
    } catch {
      this.halted({});
    }
    return null;
  }
}
