// One quiet line above the page about the state of the connection, and what to do when the page is out of date.

/** Shows the line that the page holds under this name, or none. */
export function showLine(name) {
  const place = document.querySelector("[data-status-line]");
  if (!place || (place.dataset.shown ?? null) === name) return;
  const words = name && document.querySelector(`template[data-status-words="${name}"]`);
  if (words) place.dataset.shown = name;
  else delete place.dataset.shown;
  place.replaceChildren(...(words ? [words.content.cloneNode(true)] : []));
  place.querySelector("[data-reload]")?.addEventListener("click", () => location.reload());
}

/** Too much was missed: the page is loaded anew, unless something is being typed. Who can do better prevents it. */
export function startReload() {
  document.addEventListener("crm:reload", (event) => {
    if (event.defaultPrevented) return;
    if (isBusy()) showLine("outdated");
    else location.reload();
  });
}

/** Whether something was typed or chosen that is not sent, or a question stands open. */
export function isBusy() {
  if (document.querySelector("dialog[open]")) return true;
  return [...document.querySelectorAll("form[method=post] :is(input, textarea, select)")].some(isTouched);
}

function isTouched(field) {
  if (field.type === "hidden" || field.type === "submit") return false;
  if (field instanceof HTMLSelectElement) {
    const initial = [...field.options].findIndex((option) => option.defaultSelected);
    return field.selectedIndex !== Math.max(initial, 0);
  }
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  return field.value !== field.defaultValue;
}
