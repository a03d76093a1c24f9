// What belongs to the page as a whole: tabs, dropping and pasting, camera, film, key.

import { onKeyWanted } from "./api.js";
import { complain, element, find } from "./dom.js";
import { Live } from "./live.js";
import { addPictures } from "./pictures.js";
import { controls } from "./player.js";

const TABS = ["pictures", "webcam", "video"];
const LOCAL = ["localhost", "127.0.0.1", "[::1]"];

// Where pictures go
const local = LOCAL.includes(location.hostname);
const host = local ? "this computer" : location.host;
find(".host").textContent = host;
find("#where").textContent = local
  ? "Nothing leaves this computer."
  : `Pictures go to ${host} and nowhere else.`;
find("#kept").textContent =
  `The work is done by mien serve on ${host}. It keeps no picture, and this page asks no other host.`;

// Tabs
const tabs = TABS.map((name) => find(`#tab-${name}`));
for (const [index, tab] of tabs.entries()) {
  tab.addEventListener("click", () => open(TABS[index]));
  tab.addEventListener("keydown", ({ key }) => {
    const steps = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: tabs.length - 1 };
    if (!(key in steps)) return;
    const next = (steps[key] + tabs.length) % tabs.length;
    open(TABS[next]);
    tabs[next].focus();
  });
}

function open(wanted) {
  for (const [index, name] of TABS.entries()) {
    const chosen = name === wanted;
    find(`#${name}`).hidden = !chosen;
    tabs[index].setAttribute("aria-selected", chosen);
    tabs[index].tabIndex = chosen ? 0 : -1;
  }
  if (wanted !== "webcam") webcam.stop();
  if (wanted !== "video") film.video.pause();
}

// Pictures, and what is dropped or pasted anywhere
const filesOf = (input) => { const files = [...input.files]; input.value = ""; return files; };
find("#files").addEventListener("change", ({ target }) => take(filesOf(target)));
document.addEventListener("paste", ({ clipboardData }) => {
  if (clipboardData?.files.length) take([...clipboardData.files]);
});
document.addEventListener("dragover", (event) => {
  if (!event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  document.body.classList.add("over");
});
document.addEventListener("dragleave", ({ relatedTarget }) => {
  if (!relatedTarget) document.body.classList.remove("over");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("over");
  const files = [...(event.dataTransfer?.files ?? [])];
  if (event.target.closest?.("#video .drop")) choose(files);
  else take(files);
});

function take(files) {
  const clip = files.find(({ type }) => type.startsWith("video/"));
  const pictures = files.filter(({ type }) => !type.startsWith("video/"));
  if (pictures.length) {
    open("pictures");
    addPictures(pictures);
  } else if (clip) {
    open("video");
    play(clip);
  }
}

const taken = (file) => { open("pictures"); addPictures([file]); };

/** Hide what is before, or show it again. */
function intro(name, shown) {
  find(`#${name} .intro`).hidden = !shown;
  find(`#${name} .live`).hidden = shown;
}

// Webcam
const webcam = new Live(find("#webcam .live"), { moving: true, stopped: closeCamera, taken });
const complaint = element("p", { class: "error", role: "alert", hidden: true });
find("#webcam .intro").append(complaint);
find("#camera-start").addEventListener("click", startCamera);

const REFUSALS = {
  NotAllowedError: ["The browser may not use the camera.", "Allow it beside the page's address, then start again."],
  NotFoundError: ["No camera was found.", "Plug one in, or choose pictures or a video."],
  NotReadableError: ["The camera is busy.", "Close the other program that uses it, then start again."],
};

async function startCamera() {
  complain(complaint, null);
  find("#camera-start").disabled = true;
  const left = () => find("#webcam").hidden; // while the browser asked for the camera
  let running = false;
  try {
    if (!navigator.mediaDevices) throw insecure();
    const wanted = { width: { ideal: 1280 }, height: { ideal: 720 }, facingMode: "user" };
    const stream = await navigator.mediaDevices.getUserMedia({ video: wanted });
    webcam.video.srcObject = stream;
    if (left()) return;
    stream.getVideoTracks()[0].addEventListener("ended", () => webcam.fail({
      message: "The camera is gone.", hint: "Plug it in again, then stop and start.",
    }));
    await webcam.video.play();
    if (left()) return;
    intro("webcam", false);
    webcam.start("webcam");
    find("#webcam .stop").focus();
    running = true;
  } catch (error) {
    const [message, hint] = REFUSALS[error.name] ?? [error.message, error.hint];
    if (!left()) complain(complaint, { message, hint });
  } finally {
    if (!running) closeCamera();
    find("#camera-start").disabled = false;
  }
}

function insecure() {
  const error = new Error("A browser gives the camera only to a page of its own computer or over HTTPS.");
  return Object.assign(error, { hint: "Open this page where mien serve runs, or put HTTPS before it." });
}

function closeCamera() {
  for (const track of webcam.video.srcObject?.getTracks() ?? []) track.stop();
  webcam.video.srcObject = null;
  intro("webcam", true);
}

// Video
const film = new Live(find("#video .live"), { moving: false, stopped: closeFilm, taken });
const unplayable = element("p", { class: "error", role: "alert", hidden: true });
find("#video .intro").append(unplayable);
controls(find("#video .player"), film.video);
find("#video-file").addEventListener("change", ({ target }) => choose(filesOf(target)));

/** Play what was chosen as a video; a browser does not name the type of every video. */
function choose([file]) {
  if (!file) return;
  if (!file.type || file.type.startsWith("video/")) play(file);
  else complain(unplayable, { message: `${file.name} is not a video.`, hint: "Choose a video; pictures have a tab of their own." });
}

async function play(clip) {
  film.stop();
  complain(unplayable, null);
  film.video.src = URL.createObjectURL(clip);
  try {
    await film.video.play();
  } catch {
    closeFilm();
    const hint = `The command line reads more kinds: mien predict "${clip.name}"`;
    complain(unplayable, { message: `This browser cannot play ${clip.name}.`, hint });
    return;
  }
  intro("video", false);
  film.start(clip.name);
}

function closeFilm() {
  film.video.pause();
  URL.revokeObjectURL(film.video.src);
  film.video.removeAttribute("src");
  intro("video", true);
}

// The key of a server that has one
const typed = () => find("#key").value.trim();
find("#key-dialog form").addEventListener("submit", (event) => {
  const odd = [...typed()].find((letter) => letter < " " || letter > "~");
  if (!event.submitter?.value || !odd) return;
  event.preventDefault();
  const hint = "It has letters from a to z, digits and signs. Was it typed with another keyboard layout?";
  complain(find("#key-wrong"), { message: `A key cannot have “${odd}” in it.`, hint });
});
onKeyWanted((refused) => new Promise((done) => {
  const dialog = find("#key-dialog");
  complain(find("#key-wrong"), refused ? { message: "The key is wrong.", hint: "Ask whoever started the server." } : null);
  find("#key").value = "";
  dialog.addEventListener("close", () => done(dialog.returnValue ? typed() : ""), { once: true });
  dialog.returnValue = "";
  dialog.showModal();
}));
