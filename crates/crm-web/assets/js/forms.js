// Forms: put right what was typed, save with Ctrl+Enter, ask before losing changes, show that it works.
import { setBusy } from "./composer.js";
import { isConverting } from "./http.js";

const DASHES = /[\u2010-\u2015\u2212\u30fc\uff0d\uff70]/g;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const NORMALISE = {
  ascii: (text) => text.normalize("NFKC").trim(),
  id: (text) => text.normalize("NFKC").trim(),
  phone: (text) => text.replace(DASHES, "-").normalize("NFKC").trim().replace(/\s+/g, " "),
  kana: (text) => toKatakana(text.normalize("NFKC")).trim().replace(/\s+/g, " "),
};

export function toKatakana(text) {
  return text.replace(/[\u3041-\u3096]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 0x60));
}

export function startForms() {
  document.querySelector("[data-error-summary]")?.focus();
  for (const field of document.querySelectorAll("[data-normalise]")) {
    field.addEventListener("blur", () => {
      const right = NORMALISE[field.dataset.normalise](field.value);
      if (right !== field.value) field.value = right;
    });
  }
  for (const note of document.querySelectorAll("[data-odd-id]")) followId(note);
  document.addEventListener("change", ({ target }) => target.matches("[data-submit-on-change]") && target.form.requestSubmit());
  document.addEventListener("click", ({ target }) => {
    if (target.closest?.("[data-print]")) print();
    const theirs = target.closest?.("[data-take]");
    if (theirs) takeTheirs(theirs);
  });
  for (const form of document.querySelectorAll("form[method=post]")) {
    if (!form.hasAttribute("data-composer")) startOne(form);
  }
}

/** What somebody else saved takes the place of what was typed into this one field. */
function takeTheirs({ dataset }) {
  const field = document.getElementById(dataset.takeInto);
  field.value = dataset.take;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
}

/** The note appears when an odd id is left, and goes as soon as the id has its shape or is empty. */
function followId(note) {
  const field = document.getElementById(note.dataset.oddId);
  // A login id (with @) is replaced by the user id on saving.
  const fits = () => field.value.trim() === "" || field.value.includes("@") || UUID.test(field.value.trim());
  field.addEventListener("blur", () => (note.hidden = fits()));
  field.addEventListener("input", () => {
    if (fits()) note.hidden = true;
  });
}

function startOne(form) {
  let sent = false;
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    if (isConverting(event)) event.preventDefault();
    else if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    if (sent) return event.preventDefault();
    sent = true;
    const button = form.querySelector("[type=submit][data-busy]");
    if (button) setBusy(button, true);
  });
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    sent = false;
    const button = form.querySelector("[type=submit][data-busy]");
    if (button) setBusy(button, false);
  });
  if (!form.hasAttribute("data-guard")) return;
  const state = () => new URLSearchParams(new FormData(form)).toString();
  const before = state();
  addEventListener("beforeunload", (event) => {
    if (!sent && state() !== before && !form.hasAttribute("data-draft")) event.preventDefault();
  });
}
