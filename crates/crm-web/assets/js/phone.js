// The demonstration's phone: shows what the bot answers while one looks.
import { fetchFragment, isConverting } from "./http.js";

const INTERVAL = 1500;

export function startPhone() {
  const region = document.querySelector("[data-phone]");
  if (!region) return;
  const list = region.querySelector("ol");
  const toEnd = () => (region.scrollTop = region.scrollHeight);
  toEnd();
  setInterval(async () => {
    if (document.visibilityState !== "visible") return;
    const items = await fetchFragment(region.dataset.url).catch(() => null);
    if (!items || items.length === list.children.length) return;
    list.replaceChildren(...items);
    toEnd();
  }, INTERVAL);
  const form = document.querySelector("[data-phone-form]");
  form.elements.text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || isConverting(event)) return;
    event.preventDefault();
    if (form.elements.text.value.trim()) form.requestSubmit();
  });
}
