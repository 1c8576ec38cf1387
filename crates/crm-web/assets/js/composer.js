// The field to answer in: grows, counts, keeps its draft, sends without a new page.
import { isConverting } from "./http.js";
import { Outbox } from "./outbox.js";
import { recall, remember } from "./store.js";

const ENTER_CHOICE = "crm.enter";

export function startComposer(conversation) {
  const form = document.querySelector("[data-composer]");
  if (form) new Composer(form, conversation).start();
}

class Composer {
  constructor(form, conversation) {
    this.form = form;
    this.field = form.elements.message;
    this.conversation = conversation;
    this.button = form.querySelector("[type=submit]");
    this.error = form.querySelector("[data-composer-error]");
    this.draft = `crm.draft.${form.dataset.customer}`;
    this.again = {};
    const told = (item, answer) => this.told(item, answer);
    this.outbox = new Outbox(form.action, { told, halted: (body) => this.halted(body) });
  }

  start() {
    if (!this.field.value) this.field.value = recall(this.draft);
    this.field.addEventListener("input", () => this.refresh());
    this.refresh();
    startEnter(this.form, this.field);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.field.value.trim()) this.send();
    });
  }

  /** The draft holds what is typed and what the server has not answered for. */
  refresh() {
    grow(this.field);
    count(this.form, this.field);
    remember(this.draft, [...this.outbox.texts, this.field.value].filter(Boolean).join("\n"));
  }

  /** The field is free for the next message at once. */
  async send() {
    const text = this.field.value;
    const bubble = this.conversation?.showPending(this.form.querySelector("[data-pending]"), text);
    const { replaces } = this.again;
    const key = text === this.again.text ? this.again.key : undefined;
    const there = replaces && document.getElementById(`m${replaces}`);
    this.again = {};
    this.error.replaceChildren();
    this.field.value = "";
    const sending = this.outbox.add(text, { key, replaces: there ? replaces : "", bubble });
    this.refresh();
    this.field.focus();
    setBusy(this.button, true);
    await sending;
    if (!this.outbox.busy) setBusy(this.button, false);
  }

  async told(item, body) {
    await this.conversation?.refresh(true);
    item.bubble?.remove();
    if (!body.success) {
      this.error.textContent = body.message ?? this.words("offline");
      // What may have arrived stands in the conversation, where sending it again asks first.
      if (!body.state) this.giveBack(item.text);
      else if (body.state === "failed" && !this.field.value && !this.outbox.items.length) {
        this.giveBack(item.text);
        this.again = { replaces: this.conversation?.failed(body.send) };
      }
    }
    this.refresh();
  }

  /** Nothing was answered: the bubbles wait, and the last message returns to the field unless another is being typed. */
  halted(body) {
    this.error.replaceChildren();
    if (body.code === "not_signed_in") this.error.append(this.form.querySelector("[data-signed-out]").content.cloneNode(true));
    else this.error.textContent = body.message ?? this.words("offline");
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

  words(name) {
    return this.form.querySelector(`[data-${name}]`).content.textContent;
  }
}

/** The large page keeps the same draft. */
export function startDraft() {
  const form = document.querySelector("[data-draft]");
  if (!form) return;
  const field = form.elements.message;
  const draft = `crm.draft.${form.dataset.draft}`;
  if (!field.value) field.value = recall(draft);
  const refresh = () => {
    remember(draft, field.value);
    count(form, field);
  };
  field.addEventListener("input", refresh);
  refresh();
  form.addEventListener("submit", () => remember(draft, ""));
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
