// Menus close when something else is clicked, or on Escape.
import { forgetDrafts } from "./store.js";

export function startMenus() {
  document.querySelector('form[action="/logout"]')?.addEventListener("submit", forgetDrafts);
  const menus = [...document.querySelectorAll("details[data-menu]")];
  document.addEventListener("click", (event) => {
    for (const menu of menus) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of menus) {
      if (!menu.open) continue;
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
}
