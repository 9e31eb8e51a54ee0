// Search in pages that are opened from a folder: a browser starts no worker for a file, so a hidden frame does its work.
class IFrameWorker extends EventTarget {
  constructor(url) {
    super();
    this.frame = document.createElement("iframe");
    this.frame.hidden = true;
    document.body.appendChild(this.frame);
    const inside = this.frame.contentWindow;
    window.addEventListener("message", (event) => {
      if (event.source !== inside) return;
      const message = new MessageEvent("message", { data: event.data });
      this.dispatchEvent(message);
      if (this.onmessage) this.onmessage(message);
    });
    // The worker's own globals, as it knows them: answers go to the page, scripts are loaded one after the other.
    inside.document.open();
    this.ready = new Promise((done) => { inside.workerReady = done; });
    inside.document.write(`<script>
      postMessage = (data) => parent.postMessage(data, "*");
      importScripts = (...urls) => urls.reduce((before, url) => before.then(() => new Promise((done, failed) => {
        const script = document.createElement("script");
        script.src = url; script.onload = done; script.onerror = failed;
        document.body.appendChild(script);
      })), Promise.resolve());
    </script><body><script src="${url}"></script><script>workerReady()</script>`);
    inside.document.close();
  }

  postMessage(data) {
    this.ready.then(() => this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data })));
  }

  terminate() {
    this.frame.remove();
  }
}

window.IFrameWorker = IFrameWorker;
if (location.protocol === "file:") window.Worker = IFrameWorker;
