// The field to answer in: grows, counts, keeps its draft, sends without a new page.
import { isConverting, postForm, randomKey } from "./http.js";
import { recall, remember } from "./store.js";

const ENTER_CHOICE = "crm.enter";

export function startComposer(conversation) {
  const form = document.querySelector("[data-composer]");
  if (!form) return;
  const field = form.elements.message;
  const draft = `crm.draft.${form.dataset.customer}`;
  if (!field.value) field.value = recall(draft);
  const refresh = () => {
    grow(field);
    count(form, field);
    remember(draft, field.value);
  };
  field.addEventListener("input", refresh);
  refresh();
  startEnter(form, field);
  let key = randomKey();
  let busy = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy || !field.value.trim()) return;
    busy = true;
    const outcome = await send(form, field, key, conversation);
    busy = false;
    if (outcome !== "unanswered") key = randomKey();
    if (outcome === "sent") {
      field.value = "";
      refresh();
    }
    field.focus();
  });
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

async function send(form, field, key, conversation) {
  const button = form.querySelector("[type=submit]");
  const error = form.querySelector("[data-composer-error]");
  error.textContent = "";
  setBusy(button, true);
  const bubble = conversation?.showPending(form.querySelector("[data-pending]"), field.value);
  try {
    const { body } = await postForm(form.action, { message: field.value, key });
    await conversation?.refresh(true);
    if (body.success) return "sent";
    error.textContent = body.message ?? form.querySelector("[data-offline]").content.textContent;
    // What may have arrived stands in the conversation, where sending it again asks first.
    return body.state === "unknown" ? "sent" : "refused";
  } catch {
    error.textContent = form.querySelector("[data-offline]").content.textContent;
    return "unanswered";
  } finally {
    bubble?.remove();
    setBusy(button, false);
  }
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
