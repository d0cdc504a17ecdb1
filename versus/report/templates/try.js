// The page in which onnxruntime-web classifies images: the same files that `python -m versus export` writes and checks.
"use strict";

const SHOWN = 5; // classes of each classifier
const element = id => document.getElementById(id);
const say = text => { element("status").textContent = text; };

async function load() {
  ort.env.wasm.numThreads = 1; // several need headers that not every server sends
  ort.env.wasm.wasmPaths = new URL("onnxruntime/", document.baseURI).href;
  const models = await (await fetch("models.json")).json();
  for (const model of models) {
    model.session = await ort.InferenceSession.create(model.file, { executionProviders: ["wasm"] });
  }
  return models;
}

// RGB of the image upright, transparency over the background of training, as a tensor (1, height, width, 3) of uint8
function read(bitmap, background) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = background;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0);
  const rgba = context.getImageData(0, 0, canvas.width, canvas.height).data;
  const rgb = new Uint8Array(rgba.length / 4 * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    rgb[to++] = rgba[from];
    rgb[to++] = rgba[from + 1];
    rgb[to++] = rgba[from + 2];
  }
  return [canvas, new ort.Tensor("uint8", rgb, [1, canvas.height, canvas.width, 3])];
}

function add(parent, tag, text = "", name = "") {
  const child = parent.appendChild(document.createElement(tag));
  child.textContent = text;
  if (name) child.className = name;
  return child;
}

function show(parent, model, probabilities) {
  const table = add(parent, "table");
  add(table, "caption", model.title);
  const order = model.classes.map((_, index) => index).sort((a, b) => probabilities[b] - probabilities[a]);
  for (const index of order.slice(0, SHOWN)) {
    const row = add(table, "tr");
    add(row, "th", model.classes[index]).scope = "row";
    add(row, "td", probabilities[index].toFixed(3), "number");
    add(add(row, "td", "", "bar"), "span").style.width = `${100 * probabilities[index]}%`;
  }
}

async function classify(models, name, source) {
  const article = document.createElement("article");
  element("results").prepend(article);
  const text = add(article, "div");
  add(text, "h2", name);
  try {
    const bitmap = await createImageBitmap(source, {
      imageOrientation: "from-image", colorSpaceConversion: "none", premultiplyAlpha: "none" });
    const [canvas, image] = read(bitmap, models[0].background);
    bitmap.close();
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", name);
    article.prepend(canvas);
    for (const model of models) {
      const { probabilities } = await model.session.run({ image });
      show(text, model, probabilities.data);
    }
  } catch (error) {
    add(text, "p", `Cannot be used: ${error.message || error}`);
  }
}

async function classifyAll(models, files) {
  let number = 0;
  for (const file of files) {
    say(`Image ${++number} of ${files.length} …`);
    await new Promise(requestAnimationFrame); // so that the status is painted before the computation
    await classify(models, file.name, file);
  }
  say(`Ready. Classified: ${number}.`);
}

function listen(models) {
  const drop = element("drop"), video = element("video"), take = element("take");
  let queue = Promise.resolve();
  const enqueue = files => { queue = queue.then(() => classifyAll(models, [...files])); };
  element("files").addEventListener("change", event => enqueue(event.target.files));
  for (const kind of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(kind, event => {
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragover");
      if (kind === "drop") enqueue(event.dataTransfer.files);
    });
  }
  element("camera").addEventListener("click", async () => {
    try {
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      await video.play();
      video.hidden = take.hidden = false;
      say("Ready. Camera on.");
    } catch (error) {
      say(`No camera: ${error.message || error}`);
    }
  });
  take.addEventListener("click", () => {
    queue = queue.then(() => classify(models, "Photo", video)).then(() => say("Ready. Photo classified."));
  });
}

load().then(models => {
  const notes = models.flatMap(model => model.note ? [model.note] : []);
  element("note").textContent = [...new Set(notes)].join(" ");
  listen(models);
  say("Ready.");
}).catch(error => say(`The classifiers cannot be loaded: ${error.message || error}. Browsers do not read them from a ` +
  "disk: serve this folder, for example by python -m http.server, and open the address that it names."));
