// What was just done, told for a while; and copying with one click.

const STAYS = 8000;

export function startToasts() {
  const region = document.querySelector("[data-toasts]");
  if (!region) return;
  for (const toast of region.querySelectorAll("[data-toast]")) {
    toast.querySelector("[data-toast-close]").addEventListener("click", () => toast.remove());
    let timer = setTimeout(() => toast.remove(), STAYS);
    toast.addEventListener("pointerenter", () => clearTimeout(timer));
    toast.addEventListener("focusin", () => clearTimeout(timer));
    toast.addEventListener("pointerleave", () => (timer = setTimeout(() => toast.remove(), STAYS)));
  }
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (button && (await copy(button.dataset.copy))) tell(region, button.dataset.copied);
  });
}

export function tell(region, words) {
  const toast = document.createElement("div");
  toast.className = "toast-box";
  toast.textContent = words;
  region.replaceChildren(toast);
  setTimeout(() => toast.remove(), STAYS / 4);
}

async function copy(text) {
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
  }
  const field = document.createElement("textarea");
  field.className = "visually-hidden";
  field.value = text;
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  return copied;
}
