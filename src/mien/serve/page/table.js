// Answers as rows of CSV, with the columns that `mien predict` writes.

const EXPRESSIONS = [
  "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt",
];
const FACE = [
  "box_x0", "box_y0", "box_x1", "box_y1", "score", "expression", "probability",
  ...EXPRESSIONS.map((name) => `probability_${name}`), "hidden", "hidden_known", "certain",
];
const PICTURES = ["schema", "source", "faces", "error", "face", ...FACE];
const LIVE = [
  "source", "run", "time_s", "frame", "track", ...FACE, ...EXPRESSIONS.map((name) => `smoothed_${name}`),
  "hide",
];

/** pictures: [{name, faces} or {name, error}]; a row a face, or one that says there is none. */
export function picturesCsv(pictures) {
  const rows = pictures.flatMap(({ name, faces, error }) => {
    const head = { schema: "mien.predict/1", source: name };
    if (error) return [{ ...head, error: error.message }];
    if (!faces.length) return [{ ...head, faces: 0 }];
    return faces.map((face, index) => ({ ...head, face: index, ...flat(face) }));
  });
  return file([line(PICTURES), ...rows.map((row) => written(row, PICTURES))]);
}

/** Write one face of a frame as a line; many are kept, and text is small. */
export const liveLine = ({ source, run, time, frame, hide }, face) =>
  written({ source, run, time_s: time.toFixed(3), frame, track: face.track, ...flat(face), hide }, LIVE);

export const liveCsv = (lines) => file([line(LIVE), ...lines]);

function flat(face) {
  const row = { score: face.score, expression: face.expression, probability: face.probability };
  for (const [index, value] of face.box_xyxy.entries()) row[FACE[index]] = value.toFixed(2);
  for (const [name, p] of Object.entries(face.probabilities)) row[`probability_${name}`] = p;
  for (const [name, p] of Object.entries(face.smoothed ?? {})) row[`smoothed_${name}`] = p;
  const hidden = { hidden: face.hidden?.join(" "), hidden_known: Boolean(face.hidden) };
  return { ...row, ...hidden, certain: face.certain };
}

const written = (row, columns) => line(columns.map((name) => row[name] ?? ""));

function line(cells) {
  return cells.map((cell) => {
    const text = String(cell);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }).join(",");
}

const file = (lines) => new Blob([lines.join("\n"), "\n"], { type: "text/csv" });
