// Takes a photograph with the camera of the computer, and puts it into the form #take as its file. The part of the form is then named
// "camera" and not "upload". Without a camera, or without this script, the page has the file alone.

const [camera, live, still, status, start, shoot, file] = ["camera", "live", "still", "camera-status", "start", "shoot", "upload"].map((id) => document.getElementById(id));

function stop() {
  live.srcObject?.getTracks().forEach((track) => track.stop());
  live.srcObject = null;
  live.hidden = shoot.hidden = true;
  start.hidden = false;
}

async function begin() {
  try {
    live.srcObject = await navigator.mediaDevices.getUserMedia({ audio: false, video: { width: { ideal: 1280 }, height: { ideal: 960 } } });
    await live.play();
  } catch {
    stop();
    status.textContent = "The camera cannot be used. Allow it for this page in the browser, or choose a file.";
    return;
  }
  still.hidden = true;
  live.hidden = shoot.hidden = false;
  start.hidden = true;
  status.textContent = "The camera is on. Only what you see here is kept.";
  shoot.focus();
}

// The server keeps the middle, upright: what is taken here is that already.
async function take() {
  const width = Math.min(live.videoWidth, (live.videoHeight * 4) / 5);
  const height = (width * 5) / 4;
  still.getContext("2d").drawImage(live, (live.videoWidth - width) / 2, (live.videoHeight - height) / 2, width, height, 0, 0, still.width, still.height);
  const image = await new Promise((done) => still.toBlob(done, "image/jpeg", 0.95));
  const chosen = new DataTransfer();
  chosen.items.add(new File([image], "camera.jpg", { type: "image/jpeg" }));
  file.files = chosen.files;
  file.name = "camera";
  stop();
  still.hidden = false;
  start.textContent = "Take another";
  status.textContent = "Taken. It is on record once you keep it.";
  document.getElementById("keep").focus();
}

if (navigator.mediaDevices?.getUserMedia) {
  camera.hidden = false;
  start.addEventListener("click", begin);
  shoot.addEventListener("click", take);
  file.addEventListener("change", () => {
    file.name = "upload";
    still.hidden = true;
    stop();
    status.textContent = "";
  });
  addEventListener("pagehide", stop);
}
