// What is begun and not sent. The server keeps it, for every browser of its writer; this browser keeps what has not
// reached the server.
import { csrfToken, postForm } from "./http.js";
import { recall, remember } from "./store.js";

const PAUSE = 800;

/** The draft of a form: `data-draft` is its address on the server, none for what stays in this browser. */
export class Draft {
  constructor(form) {
    this.name = `crm.draft.${form.dataset.draftName}`;
    this.address = form.dataset.draft;
    // A page that came back with what was typed says nothing of what the server keeps.
    this.saved = form.hasAttribute("data-returned") ? null : form.elements.message.defaultValue;
    this.text = form.elements.message.defaultValue;
    form.elements.message.addEventListener("blur", () => this.save());
    addEventListener("pagehide", () => this.leave());
    addEventListener("online", () => this.save());
    document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && this.save());
  }

  /** What to begin with: both, when another browser went on after this one was cut off. */
  restore() {
    const { text, base } = this.kept();
    if (!text || this.saved === null || this.saved.startsWith(text)) return this.text;
    const unchanged = !this.saved || this.saved === base;
    return unchanged ? text : `${this.saved}\n${text}`;
  }

  kept() {
    try {
      return JSON.parse(recall(this.name) || "{}");
    } catch {
      return {};
    }
  }

  keep(text) {
    this.text = text;
    clearTimeout(this.timer);
    if (text === this.saved) return remember(this.name, "");
    remember(this.name, text && JSON.stringify({ text, base: this.saved }));
    if (this.address) this.timer = setTimeout(() => this.save(), PAUSE);
  }

  /** The message went out, and the server may have dropped its draft: what is there now is saved in any case. */
  sent(text) {
    this.saved = null;
    this.keep(text);
  }

  async save() {
    if (!this.address || this.saving || this.text === this.saved) return;
    const text = this.text;
    this.saving = true;
    const { ok } = await postForm(this.address, { message: text }).catch(() => ({ ok: false }));
    this.saving = false;
    if (!ok) return;
    this.saved = text;
    if (this.text === text) this.keep(text);
    else this.save();
  }

  /** The page goes; the request goes on. */
  leave() {
    if (!this.address || this.text === this.saved) return;
    const body = new URLSearchParams({ message: this.text });
    const headers = { Accept: "application/json", "X-CSRF-Token": csrfToken() };
    fetch(this.address, { method: "POST", headers, body, credentials: "same-origin", keepalive: true }).catch(() => undefined);
  }

  /** What was typed is on its way: nothing more is kept. */
  end() {
    clearTimeout(this.timer);
    this.address = undefined;
    remember(this.name, "");
  }
}
