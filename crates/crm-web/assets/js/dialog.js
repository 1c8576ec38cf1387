// Questions before something goes, and the list of keyboard shortcuts.
import { isConverting } from "./http.js";

export function startDialogs() {
  const confirm = document.getElementById("confirm-dialog");
  if (!confirm) return;
  const title = confirm.querySelector("h2");
  const usual = title.textContent;
  let waiting = null;
  const ask = (event) => {
    const form = event.target;
    if (!form.dataset.confirm || form.dataset.confirmed) return;
    event.preventDefault();
    waiting = form;
    title.textContent = form.dataset.confirmTitle ?? usual;
    confirm.querySelector("p").textContent = form.dataset.confirm;
    confirm.showModal();
  };
  document.addEventListener("submit", ask, { capture: true });
  confirm.querySelector("[data-dialog-ok]").addEventListener("click", () => {
    confirm.close();
    if (!waiting) return;
    waiting.dataset.confirmed = "1";
    waiting.requestSubmit();
  });
  for (const button of document.querySelectorAll("[data-dialog-cancel]")) {
    button.addEventListener("click", () => button.closest("dialog").close());
  }
  startShortcuts(document.getElementById("shortcuts-dialog"));
}

/** Asks a question; true when the answer is to go on. Escape is no. */
export function ask(dialog, question) {
  dialog.querySelector("[data-question]").textContent = question;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/** The field in the bar, or on a phone the page's own. */
function toSearch() {
  const field = [...document.querySelectorAll("[data-search]")].find((one) => one.checkVisibility());
  field?.focus();
  field?.select();
}

function startShortcuts(help) {
  document.querySelector("[data-shortcuts]")?.addEventListener("click", () => help.showModal());
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable], dialog");
    if (typing || isConverting(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "?") help.showModal();
    else if (event.key === "/") toSearch();
    else if (event.key === "j") document.querySelector("[data-next-waiting]")?.click();
    else return;
    event.preventDefault();
  });
}
