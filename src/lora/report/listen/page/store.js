// Data of the page. Every data file calls `Listen.receive(name, value)`; scripts are loaded on demand, because a page
// opened from a disk may not fetch files.
"use strict";  // for all scripts, which are joined after this one

performance.mark("page-start");

const Listen = {
  data: new Map(),
  loading: new Map(),

  receive(name, value) {
    Listen.data.set(name, value);
  },

  // The value of a data file; rejects where the file is missing.
  load(name) {
    if (Listen.data.has(name)) return Promise.resolve(Listen.data.get(name));
    if (!Listen.loading.has(name)) {
      Listen.loading.set(name, new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = `data/${name}.js`;
        script.onload = () => resolve(Listen.data.get(name));
        script.onerror = () => {
          Listen.loading.delete(name);
          reject(new Error(`data/${name}.js cannot be read: keep the folder of this page complete`));
        };
        document.head.append(script);
      }));
    }
    return Listen.loading.get(name);
  },
};

// An element with properties and children; texts of the study only ever become text nodes.
function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const byId = (id) => document.getElementById(id);
const counted = (number) => number.toLocaleString("en");
