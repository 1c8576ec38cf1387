// The fields to answer in and to write notes in: they grow, count, keep their drafts, send without a new page.
import { ask } from "./dialog.js";
import { Draft } from "./draft.js";
import { isConverting } from "./http.js";
import { Outbox } from "./outbox.js";
import { recall, remember } from "./store.js";

const ENTER_CHOICE = "crm.enter";

export function startComposer(conversation) {
  for (const form of document.querySelectorAll("[data-composer]")) new Composer(form, conversation).start();
}

class Composer {
  constructor(form, conversation) {
    this.form = form;
    this.field = form.elements.message;
    this.conversation = conversation;
    this.button = form.querySelector("[data-send]");
    this.error = form.querySelector("[data-composer-error]");
    this.draft = new Draft(form);
    this.again = {};
    this.settled = new Set();
    this.outbox = new Outbox(form.action, {
      told: (item, answer) => this.told(item, answer),
      asked: (question) => this.asked(question),
      halted: (body) => this.halted(body),
    });
  }

  start() {
    this.field.value = this.draft.restore();
    this.field.addEventListener("input", () => this.refresh());
    this.refresh();
    startEnter(this.form, this.field);
    if (this.form.hasAttribute("data-returned")) this.again = { ...this.hidden(), text: this.field.value };
    else if (this.field.value === this.field.defaultValue) this.again = { replaces: this.hidden().replaces };
    document.addEventListener("crm:talk", ({ detail }) => this.see(detail.last));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.field.value.trim()) this.send(event.submitter?.name === "anyway" ? "1" : "");
    });
  }

  /** What a page that came back carries, so that sending once more is the same message. */
  hidden() {
    const { key, replaces } = this.form.elements;
    return { key: key?.value || undefined, replaces: replaces?.value };
  }

  /** What arrived before anything was typed was seen by who types afterwards. */
  see(last) {
    const { seen } = this.form.elements;
    if (seen && !this.field.value && !this.outbox.items.length) seen.value = last;
  }

  /** The draft holds what is typed and what the server has not answered for. */
  refresh(sent = false) {
    grow(this.field);
    count(this.form, this.field);
    const text = [...this.outbox.texts, this.field.value].filter(Boolean).join("\n");
    if (sent) this.draft.sent(text);
    else this.draft.keep(text);
  }

  /** The field is free for the next message at once. */
  async send(anyway) {
    const text = this.field.value;
    const bubble = this.conversation?.showPending(this.form.querySelector("[data-pending]"), text);
    const { replaces } = this.again;
    const key = text === this.again.text ? this.again.key : undefined;
    const there = replaces && document.getElementById(`m${replaces}`);
    const seen = this.form.elements.seen?.value;
    this.again = {};
    this.form.querySelector("[data-question-here]")?.remove();
    this.error.replaceChildren();
    this.field.value = "";
    const sending = this.outbox.add(text, { key, replaces: there ? replaces : "", seen, anyway, bubble });
    this.refresh();
    this.field.focus();
    setBusy(this.button, true);
    await sending;
    if (!this.outbox.busy) setBusy(this.button, false);
  }

  /** Asks before a colleague is interrupted; the same question is answered once. */
  async asked(question) {
    if (this.settled.has(question)) return true;
    const goOn = await ask(document.getElementById("question-dialog"), question);
    if (goOn) this.settled.add(question);
    return goOn;
  }

  async told(item, body) {
    await this.conversation?.refresh(true);
    item.bubble?.remove();
    if (body.code === "handled_by_other") {
      this.giveBack(item.text);
      this.again = { text: this.field.value, key: item.key, replaces: item.replaces };
    } else if (!body.success) {
      this.error.textContent = body.message ?? words("offline");
      // What may have arrived stands in the conversation, where sending it again asks first.
      if (!body.state) this.giveBack(item.text);
      else if (body.state === "failed" && !this.field.value && !this.outbox.items.length) {
        this.giveBack(item.text);
        this.again = { replaces: this.conversation?.failed(body.send) };
      }
    }
    this.refresh(true);
    this.see(this.conversation?.last);
  }

  /** Nothing was answered: the bubbles wait, and the last message returns to the field unless another is being typed. */
  halted(body) {
    this.error.replaceChildren();
    if (body.code === "not_signed_in") this.error.append(template("signed-out").cloneNode(true));
    else this.error.textContent = body.message ?? words("offline");
    if (!this.field.value) {
      const { text, key, replaces, bubble } = this.outbox.takeBack();
      bubble?.remove();
      this.giveBack(text);
      this.again = { text, key, replaces };
    }
    for (const { bubble } of this.outbox.items) {
      const state = bubble?.querySelector("[data-unsent]");
      if (state) state.textContent = state.dataset.unsent;
    }
    this.refresh();
  }

  giveBack(text) {
    this.field.value = [text, this.field.value].filter(Boolean).join("\n");
    this.again = {};
  }
}

function template(name) {
  return document.querySelector(`template[data-${name}]`).content;
}

function words(name) {
  return template(name).textContent;
}

/** The large page keeps the same draft. */
export function startDraft() {
  const form = document.querySelector("[data-draft]:not([data-composer])");
  if (!form) return;
  const field = form.elements.message;
  const draft = new Draft(form);
  field.value = draft.restore();
  const refresh = () => {
    draft.keep(field.value);
    count(form, field);
  };
  field.addEventListener("input", refresh);
  refresh();
  form.addEventListener("submit", () => draft.end());
}

export function setBusy(button, busy) {
  const label = button.querySelector("[data-label]");
  if (busy && label) {
    button.dataset.idle ??= label.textContent;
    label.textContent = button.dataset.busy ?? label.textContent;
  } else if (label && button.dataset.idle) {
    label.textContent = button.dataset.idle;
  }
  button.classList.toggle("is-busy", busy);
  button.setAttribute("aria-disabled", String(busy));
}

function grow(field) {
  if (CSS.supports("field-sizing", "content")) return;
  field.rows = 1;
  while (field.rows < 6 && field.scrollHeight > field.clientHeight + 2) field.rows += 1;
}

function count(form, field) {
  const place = form.querySelector("[data-count]");
  const limit = Number(form.dataset.limit);
  const length = [...field.value].length;
  place.hidden = length < limit * 0.9;
  place.textContent = `${length.toLocaleString()}/${limit.toLocaleString()}`;
  place.classList.toggle("is-over", length > limit);
}

/** Enter sends at a keyboard and breaks the line on a touch screen, unless the reader chose otherwise. */
function startEnter(form, field) {
  const touch = matchMedia("(pointer: coarse)").matches;
  let sends = (recall(ENTER_CHOICE) || (touch ? "breaks" : "sends")) === "sends";
  const show = () => {
    form.querySelector("[data-hint-enter]").hidden = !sends;
    form.querySelector("[data-hint-button]").hidden = sends;
    field.setAttribute("enterkeyhint", sends ? "send" : "enter");
  };
  form.querySelector("[data-enter-toggle]").addEventListener("click", () => {
    sends = !sends;
    remember(ENTER_CHOICE, sends ? "sends" : "breaks");
    show();
    field.focus();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || isConverting(event) || event.shiftKey || event.altKey) return;
    if (!sends && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    form.requestSubmit();
  });
  show();
}
