// Where a message belongs in a conversation: `data-at` is its time and its number, a header stands before each day.

/** Compares two places: negative when the first comes earlier. */
export function compare(one, other) {
  const [time, id] = one.split(".").map(Number);
  const [otherTime, otherId] = other.split(".").map(Number);
  return time - otherTime || id - otherId;
}

/** Puts a message at its place, under the header of its day. */
export function insert(list, item, day) {
  const later = [...list.querySelectorAll("[data-at]")].find((known) => compare(known.dataset.at, item.dataset.at) > 0);
  const ofLaterDay = later && later.dataset.day !== item.dataset.day ? header(list, later.dataset.day) : null;
  const before = ofLaterDay ?? later ?? list.querySelector("[data-pending-message]");
  if (day && !header(list, item.dataset.day)) list.insertBefore(day, before);
  list.insertBefore(item, before);
}

/** Takes a message away, and the header of its day with the last one. */
export function remove(list, item) {
  const day = item.dataset.day;
  item.remove();
  if (!list.querySelector(`[data-at][data-day="${day}"]`)) header(list, day)?.remove();
}

function header(list, day) {
  return list.querySelector(`.day[data-day="${day}"]`);
}
