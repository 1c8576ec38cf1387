// Taking, releasing, handing over and closing without leaving the page. The document hears `crm:handled` afterwards, also
// when it was refused: somebody was faster, and the page shows something old.
import { byItself, postForm } from "./http.js";
import { tell } from "./toast.js";

const UNDO = 10_000;

export function startHandling() {
  const place = document.querySelector("[data-handling-said]");
  if (!place) return;
  const dialog = document.getElementById("hand-over-dialog");
  document.addEventListener("submit", (event) => {
    if (!event.target.matches?.("form[data-handling]")) return;
    event.preventDefault();
    act(event.target, place, dialog);
  }, { capture: true });
  document.addEventListener("click", (event) => {
    const opener = event.target.closest?.("[data-hand-over]");
    const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
    if (opener && plain) {
      event.preventDefault();
      openDialog(dialog, opener.href);
    } else if (event.target.closest?.("[data-hand-over-cancel]") && dialog.open) {
      event.preventDefault();
      dialog.close();
    } else if (event.target.closest?.("[data-dismiss]")) {
      event.target.closest("[data-dismiss]").parentElement.remove();
    }
  });
}

async function act(form, place, dialog) {
  const button = form.querySelector("[type=submit]");
  if (button.disabled) return;
  const fields = new FormData(form);
  button.disabled = true;
  place.replaceChildren();
  const { ok, body } = await postForm(form.action, fields).catch(() => ({ ok: false, body: {} }));
  button.disabled = false;
  if (ok || !form.closest("dialog")) dialog.close();
  if (ok) say(body);
  else refuse(form.closest("dialog") ? form : place, body.message || place.dataset.offline);
  form.closest("[data-toast]")?.remove();
  document.dispatchEvent(new CustomEvent("crm:handled", { detail: { ok, conversation: body.conversation } }));
}

/** What was done; a closing can be taken back for ten seconds. */
function say({ message, undo }) {
  const region = document.querySelector("[data-toasts]");
  if (!undo) return tell(region, message);
  const toast = document.querySelector("template[data-handling-undo]").content.cloneNode(true).firstElementChild;
  toast.querySelector("[data-said]").textContent = message;
  toast.querySelector("form").action = undo;
  region.replaceChildren(toast);
  setTimeout(() => toast.remove(), UNDO);
}

/** What was refused stays until it was read. */
function refuse(place, words) {
  const line = document.querySelector("template[data-handling-refused]").content.cloneNode(true).firstElementChild;
  line.querySelector("[data-said]").textContent = words;
  place.querySelector(":scope > .banner")?.remove();
  place.prepend(line);
}

/** The form comes from its own page, so that only who needs the list of members loads it. */
async function openDialog(dialog, address) {
  const response = await byItself(address, "text/html").catch(() => null);
  const page = response?.ok && !response.redirected ? await response.text() : "";
  const fresh = new DOMParser().parseFromString(page, "text/html");
  const form = fresh.querySelector("[data-hand-over-form]");
  if (!form) return location.assign(address);
  const parts = [fresh.getElementById("hand-over-title"), form].map((part) => document.importNode(part, true));
  dialog.replaceChildren(...parts);
  dialog.showModal();
  dialog.querySelector("select").focus();
}
