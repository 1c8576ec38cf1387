// How long somebody waits grows while one looks: minutes and hours are counted here, days come from the server.

const EVERY = 15_000;

/** Tells the ages on the board now and from now on; `crm:stale` when a day has ended. */
export function tellAges(board) {
  tell(board);
  if (board.dataset.tells) return;
  board.dataset.tells = "1";
  setInterval(() => tell(board), EVERY);
}

function tell(board) {
  for (const place of board.querySelectorAll("time[data-since]")) {
    const minutes = Math.max(Math.floor((Date.now() - Date.parse(place.dateTime)) / 60_000), 0);
    if (minutes >= 60 && dayNow(place.dateTime) !== place.dateTime.slice(0, 10)) {
      place.removeAttribute("data-since");
      board.dispatchEvent(new CustomEvent("crm:stale"));
      continue;
    }
    const words = inWords(board.dataset, minutes);
    if (place.textContent !== words) place.textContent = words;
  }
}

function inWords({ now, minutes, hours }, age) {
  if (age < 1) return now;
  if (age < 60) return minutes.replace("{minutes}", age);
  return hours.replace("{hours}", Math.floor(age / 60)).replace("{minutes}", age % 60);
}

/** The day now, in the zone in which the time was written. */
function dayNow(time) {
  const [, sign, hours, minutes] = time.match(/([+-])(\d\d):(\d\d)$/);
  const offset = (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  return new Date(Date.now() + offset * 60_000).toISOString().slice(0, 10);
}
