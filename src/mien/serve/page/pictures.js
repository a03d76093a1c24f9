// Pictures that were chosen, dropped or pasted: a card each.

import { occlude, predict } from "./api.js";
import { Compare } from "./compare.js";
import { complain, copy, element, find, plural, save, say } from "./dom.js";
import { annotated } from "./drawing.js";
import { Answers, Boxes, say as inWords } from "./faces.js";
import { picturesCsv } from "./table.js";

const AT_ONCE = 2;

const pictures = new Set();
const queue = [];
let working = 0;

export function addPictures(files) {
  const added = files.map((file, index) => makeCard(file, file.name || `pasted-${index + 1}.png`));
  find("#cards").prepend(...added.map((picture) => picture.card));
  for (const picture of added) pictures.add(picture);
  ask(added);
  count();
}

find("#picture-csv").addEventListener("click", () => {
  const read = [...pictures].filter(({ faces, error }) => faces || error);
  save(picturesCsv(read), "mien.csv");
});

find("#picture-clear").addEventListener("click", () => {
  for (const picture of pictures) remove(picture);
  find("#files").focus();
});

function count() {
  find("#picture-bar").hidden = !pictures.size;
  find("#drop").classList.toggle("small", pictures.size > 0);
  const waiting = [...pictures].filter(({ faces, error }) => !faces && !error).length;
  const failed = [...pictures].filter(({ error }) => error).length;
  const told = [plural(pictures.size - failed, "picture")];
  if (waiting) told.push(`${waiting} to read`);
  if (failed) told.push(`${plural(failed, "file")} not read`);
  find("#picture-count").textContent = told.join(", ");
  find("#picture-csv").disabled = waiting === pictures.size;
}

function makeCard(blob, name) {
  const card = copy("card").firstElementChild;
  const picture = { blob, name, card, image: find("img", card), faces: null, error: null };
  find("h3", card).textContent = name;
  find(".remove", card).setAttribute("aria-label", `Remove ${name}`);
  find(".remove", card).addEventListener("click", () => remove(picture));
  find(".png", card).addEventListener("click", () => savePng(picture));
  find(".answers", card).append(element("div", { class: "wait" }));
  picture.image.src = URL.createObjectURL(blob);
  picture.image.addEventListener("load", () => shape(picture));
  picture.image.addEventListener("error", () => { find(".view", card).hidden = true; });
  return picture;
}

function shape({ card, image }) {
  const view = find(".view", card);
  view.style.setProperty("--ratio", image.naturalWidth / image.naturalHeight);
  view.style.setProperty("--widest", `${image.naturalWidth}px`);
}

function remove(picture) {
  picture.card.remove();
  URL.revokeObjectURL(picture.image.src);
  pictures.delete(picture);
  count();
}

function ask(added) {
  queue.push(...added);
  while (working < AT_ONCE && queue.length) {
    working += 1;
    work().finally(() => { working -= 1; });
  }
}

async function work() {
  while (queue.length) {
    const picture = queue.shift();
    if (pictures.has(picture)) await read(picture);
    count();
  }
}

async function read(picture) {
  const { blob, name, card } = picture;
  picture.error = null;
  complain(find(".error", card), null);
  try {
    const { faces, width, height, ms } = await predict(blob, name);
    await picture.image.decode().catch(() => draw(picture));
    Object.assign(picture, { faces: faces.map((face, key) => ({ ...face, key })), width, height });
    const facts = [plural(faces.length, "face"), `${width} × ${height}`, `${Math.round(ms)} ms`];
    find(".facts", card).textContent = facts.join(" · ");
    show(picture);
    say(`${name}: ${inWords(faces)}`);
  } catch (error) {
    picture.error = error;
    find(".pair", card).hidden = !passing(error);
    find(".answers", card).replaceChildren();
    complain(find(".error", card), error, passing(error) ? () => again(picture) : null);
  }
}

/** Let the server show what this browser cannot, such as TIFF. */
async function draw({ blob, name, image, card }) {
  const [plain] = await occlude(blob, name, ["none"]);
  image.src = plain.image;
  await image.decode();
  find(".view", card).hidden = false;
}

/** Tell whether the same picture may be read another time. */
const passing = ({ status }) => status < 400 || status === 401 || status === 429 || status >= 500;

function again(picture) {
  find(".pair", picture.card).hidden = false;
  find(".answers", picture.card).replaceChildren(element("div", { class: "wait" }));
  picture.error = null;
  count();
  ask([picture]);
}

function show(picture) {
  const { card, faces, image } = picture;
  const place = find(".answers", card);
  place.replaceChildren();
  new Answers(place).update(faces);
  image.alt = `${picture.name}: ${inWords(faces)}`;
  if (!faces.length) return;
  const compare = new Compare(card, picture);
  const boxes = new Boxes(find(".boxes", card), faces.length > 1 ? pick : null);
  const lay = () => boxes.update(faces, { ...picture, picked: compare.picked });
  function pick(key) {
    compare.pick(key);
    lay();
  }
  lay();
  new ResizeObserver(lay).observe(boxes.layer); // where tags have room depends on the window
  find(".tools", card).hidden = false;
}

async function savePng({ image, faces, width, height, name }) {
  const png = await annotated(image, faces, { width, height });
  save(png, `${name.replace(/\.[^.]*$/, "")}-mien.png`);
}
