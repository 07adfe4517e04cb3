"use strict";
// The report is complete without this script. It adds a chart to zoom into, tables to
// sort, search and save, the viewer's time zone, and links to findings.
// Texts of the log are set as text only, never as markup.
(() => {
  const byId = id => document.getElementById(id);
  const make = (tag, text, className) => {
    const e = document.createElement(tag);
    if (text !== undefined) e.textContent = text;
    if (className) e.className = className;
    return e;
  };
  const whole = new Intl.NumberFormat("en-US");
  const number = n => whole.format(n);

  // Times are shown in UTC or in the viewer's zone.
  let local = false;
  const two = n => String(n).padStart(2, "0");
  const clock = (ms, seconds) => {
    const d = new Date(local ? ms - new Date(ms).getTimezoneOffset() * 60000 : ms);
    return d.getUTCFullYear() + "-" + two(d.getUTCMonth() + 1) + "-" + two(d.getUTCDate()) + " " +
      two(d.getUTCHours()) + ":" + two(d.getUTCMinutes()) + (seconds ? ":" + two(d.getUTCSeconds()) : "");
  };
  const zoneName = () => local ? Intl.DateTimeFormat().resolvedOptions().timeZone || "local time" : "UTC";

  // A link to a finding opens its card.
  const open = () => {
    let id = location.hash.slice(1);
    try { id = decodeURIComponent(id); } catch { /* not encoded */ }
    const target = id && byId(id);
    if (!target) return;
    if (target.tagName === "DETAILS") target.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", open);

  const source = byId("data");
  const data = source ? JSON.parse(source.textContent) : null;
  const noun = data ? data.noun : { one: "", many: "" };
  const refusals = n => n === 1 ? "one " + noun.one : number(n) + " " + noun.many;
  let redraw = () => {}, refill = () => {};

  document.querySelector(".tools").hidden = false;
  byId("zone").addEventListener("click", e => {
    local = !local;
    e.currentTarget.setAttribute("aria-pressed", String(local));
    for (const t of document.querySelectorAll("time")) {
      t.dataset.utc ??= t.textContent;
      t.textContent = local ? clock(Date.parse(t.dateTime), true) + " " + zoneName() : t.dataset.utc;
    }
    // Labels of axes keep their form: an hour, a day with an hour, or all of it.
    const forms = { 5: [11, 16], 10: [5, 16], 11: [5, 16], 16: [0, 16] };
    for (const t of document.querySelectorAll("svg [data-at]")) {
      t.dataset.utc ??= t.textContent;
      t.textContent = local ? clock(Date.parse(t.dataset.at), true).slice(...forms[t.dataset.utc.length] ?? [0]) : t.dataset.utc;
    }
    redraw();
    refill();
  });
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement, theme = byId("theme");
  const dark = () => root.style.colorScheme ? root.style.colorScheme === "dark" : prefersDark.matches;
  const nameTheme = () => { theme.textContent = dark() ? "Light theme" : "Dark theme"; };
  nameTheme();
  theme.addEventListener("click", () => {
    root.style.colorScheme = dark() ? "light" : "dark";
    nameTheme();
    redraw();
  });
  prefersDark.addEventListener("change", () => { nameTheme(); redraw(); });

  // copy puts text on the clipboard and reports whether it could. Pages from files may
  // not be allowed to use the clipboard directly.
  const copy = async text => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const area = make("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      return done;
    }
  };

  // A finding as text for a ticket, with its evidence.
  for (const p of document.querySelectorAll(".ticket")) {
    p.hidden = false;
    p.querySelector("button").addEventListener("click", async () => {
      const card = p.closest(".card"), text = q => card.querySelector(q)?.textContent.trim() ?? "";
      const lines = [text("h3"), text(".badge") + ", " + text(".impact"), "", text(".explanation"), ""];
      for (const d of card.querySelectorAll(".body > .facts > div")) lines.push("- " + d.querySelector("dt").textContent + ": " + d.querySelector("dd").textContent.trim());
      const steps = [...card.querySelectorAll("ol > li")].map((li, i) => i + 1 + ". " + li.textContent.trim());
      if (steps.length) lines.push("", "What to do", ...steps);
      for (const d of card.querySelectorAll(".commands > div")) lines.push("", d.querySelector("dt").firstChild.textContent.trim().replace(/ \($/, "") + ":", "    " + d.querySelector("dd").textContent.trim());
      const evidence = [...card.querySelectorAll(".place")].map(e => e.textContent.trim() + "\n    " + (e.nextElementSibling?.textContent.trim() ?? ""));
      if (evidence.length) lines.push("", "Evidence", ...evidence);
      const done = await copy(lines.join("\n") + "\n");
      p.querySelector("span").textContent = done ? "Copied." : "The browser did not allow copying.";
    });
  }

  if (data) {
    // The selected range of steps, up to but excluding to.
    const range = { from: 0, to: data.steps };
    const all = () => range.from === 0 && range.to === data.steps;
    const at = step => data.first + step * data.step;
    const totals = Array.from({ length: data.steps }, (_, i) => data.groups.reduce((sum, g) => sum + g.counts[i], 0));

    // --- the chart ---
    const plot = byId("plot"), hidden = new Set();
    let chart = null;
    const probe = make("span");
    document.body.append(probe);
    const color = name => {
      probe.style.color = "var(--" + name + ")";
      return getComputedStyle(probe).color;
    };
    const stepLabel = i => clock(at(i)) + " " + zoneName();
    const readout = i => {
      const parts = data.groups.filter(g => g.counts[i] > 0).map(g => g.label + " " + number(g.counts[i]));
      return stepLabel(i) + ": " + refusals(totals[i]) + (parts.length ? " – " + parts.join(", ") : "") + "; " + number(data.accepted[i]) + " accepted";
    };
    const width = () => Math.max(280, plot.clientWidth);
    const build = () => {
      if (chart) chart.destroy();
      const x = Array.from({ length: data.steps }, (_, i) => at(i) / 1000);
      const sums = new Array(data.steps).fill(0);
      const groups = data.groups.filter(g => !hidden.has(g.name)), logScale = byId("log-scale").checked;
      const stacked = groups.map(g => g.counts.map((n, i) => (sums[i] += n)));
      const ink = color("soft"), grid = { stroke: color("line"), width: 1 };
      const bars = uPlot.paths.bars({ size: [0.9, Infinity], align: 1 });
      const series = groups.map(g => ({ label: g.label, fill: color("c-" + g.name), width: 0, paths: bars, points: { show: false } }));
      const successes = byId("successes").checked;
      const xValues = (_, splits) => {
        let day = "";
        return splits.map(s => {
          const [d, t] = clock(s * 1000).split(" "), first = d !== day;
          day = d;
          return first ? t + "\n" + d : t;
        });
      };
      const axes = [{ stroke: ink, grid, ticks: grid, values: xValues, space: 70 }, { stroke: ink, grid, ticks: grid, size: 74, label: plot.dataset.axis, labelSize: 18, labelFont: "12px sans-serif", values: (_, v) => v.map(n => Number.isInteger(n) ? number(n) : "") }];
      if (successes) axes.push({ scale: "accepted", side: 1, stroke: ink, grid: { show: false }, size: 70, values: (_, v) => v.map(number) });
      chart = new uPlot({
        width: width(), height: 280, legend: { show: false }, padding: [14, successes ? 8 : 40, 0, 0], // room for half of the last label
        tzDate: t => local ? new Date(t * 1000) : uPlot.tzDate(new Date(t * 1000), "Etc/UTC"),
        cursor: { y: false, drag: { x: true, y: false, setScale: false }, bind: { dblclick: () => () => { show(0, data.steps); } } },
        scales: { x: { min: at(range.from) / 1000, max: at(range.to) / 1000 }, y: { distr: logScale ? 4 : 1, range: (_, __, max) => [0, Math.max(1, max * 1.05)] } },
        // The stacked series are drawn from the tallest, so that none hides another.
        series: [{}, ...series.reverse(), ...(successes ? [{ label: "Accepted", scale: "accepted", stroke: color("good"), width: 2, points: { show: false } }] : [])],
        axes,
        hooks: {
          setSelect: [u => {
            if (u.select.width < 4) return;
            const from = Math.round((u.posToVal(u.select.left, "x") * 1000 - data.first) / data.step);
            const to = Math.round((u.posToVal(u.select.left + u.select.width, "x") * 1000 - data.first) / data.step);
            u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
            show(from, to);
          }],
          setCursor: [u => {
            const i = u.cursor.left >= 0 ? Math.floor((u.posToVal(u.cursor.left, "x") * 1000 - data.first) / data.step) : -1;
            byId("readout").textContent = i >= 0 && i < data.steps ? readout(i) : "";
          }],
          draw: [u => {
            const c = u.ctx;
            c.save();
            c.strokeStyle = c.fillStyle = color("ink");
            c.lineWidth = devicePixelRatio;
            c.font = 11 * devicePixelRatio + "px sans-serif";
            c.textAlign = "center";
            for (const m of data.marks) {
              const left = u.valToPos(m.at / 1000, "x", true);
              if (left < u.bbox.left || left > u.bbox.left + u.bbox.width) continue;
              c.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
              c.beginPath();
              c.moveTo(left, u.bbox.top);
              c.lineTo(left, u.bbox.top + u.bbox.height);
              c.stroke();
              c.fillText(m.label, left, u.bbox.top - 3 * devicePixelRatio);
            }
            c.restore();
          }],
        },
      }, [x, ...stacked.reverse(), ...(successes ? [data.accepted] : [])], plot);
    };
    const describe = () => {
      let sum = 0;
      for (let i = range.from; i < range.to; i++) sum += totals[i];
      byId("range").textContent = (all() ? "All: " : "Selected: ") + clock(at(range.from)) + " to " + clock(at(range.to)) + " " + zoneName() + ", " + refusals(sum) +
        (all() ? "." : ". The tables below count only these.");
    };
    const show = (from, to) => {
      from = Math.max(0, Math.min(data.steps - 1, from));
      to = Math.max(from + 1, Math.min(data.steps, to));
      range.from = from;
      range.to = to;
      chart.setScale("x", { min: at(from) / 1000, max: at(to) / 1000 });
      describe();
      refill(true);
    };
    const zoom = factor => {
      const length = Math.max(1, Math.round((range.to - range.from) * factor));
      const from = Math.round((range.from + range.to - length) / 2);
      show(Math.max(0, Math.min(from, data.steps - length)), Math.max(0, Math.min(from, data.steps - length)) + length);
    };
    const move = share => {
      const length = range.to - range.from, by = Math.sign(share) * Math.max(1, Math.round(length * Math.abs(share)));
      const from = Math.max(0, Math.min(data.steps - length, range.from + by));
      show(from, from + length);
    };
    byId("zoom").hidden = false;
    byId("still").hidden = true;
    build();
    describe();
    new ResizeObserver(() => { if (chart.width !== width()) chart.setSize({ width: width(), height: 280 }); }).observe(plot);
    byId("earlier").addEventListener("click", () => move(-0.5));
    byId("later").addEventListener("click", () => move(0.5));
    byId("closer").addEventListener("click", () => zoom(0.5));
    byId("wider").addEventListener("click", () => zoom(2));
    byId("whole").addEventListener("click", () => show(0, data.steps));
    byId("successes").addEventListener("change", build);
    byId("log-scale").addEventListener("change", build);
    // The legend shows and hides groups.
    for (const item of byId("legend").children) {
      const name = item.dataset.group, b = make("button");
      b.type = "button";
      b.setAttribute("aria-pressed", "true");
      b.append(...item.childNodes);
      b.addEventListener("click", () => {
        if (!hidden.delete(name)) hidden.add(name);
        b.setAttribute("aria-pressed", String(!hidden.has(name)));
        build();
      });
      item.append(b);
    }
    plot.addEventListener("keydown", e => {
      const acts = { ArrowLeft: () => move(-0.25), ArrowRight: () => move(0.25), "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), Escape: () => show(0, data.steps) };
      if (acts[e.key] && !e.ctrlKey && !e.metaKey && !e.altKey) {
        e.preventDefault();
        acts[e.key]();
      }
    });
    redraw = () => { build(); describe(); };

    // --- the tables ---
    if (data.tables && data.tables.length && byId("explore")) {
      const rowHeight = 48, margin = 8;
      const view = byId("window"), table = byId("rows"), head = table.tHead, body = table.tBodies[0], search = byId("search");
      const cards = new Map([...document.querySelectorAll("details.card")].map(c => [c.id, c.querySelector(".number").textContent]));
      for (const t of data.tables) {
        t.text = t.names.map((n, i) => (n + " " + t.notes[i] + " " + t.findings[i]).toLowerCase());
        t.columns = t.columns || [];
        t.requests = t.columns.find(c => c.label === "Requests");
        t.sort = { key: "refused", down: true };
      }
      let current = data.tables.find(t => t.id === "endpoints") || data.tables[0], rows = [], counts = [];

      // inRange returns the refusals of a row in the range.
      const inRange = (t, i) => {
        if (all()) return t.refused[i];
        let step = 0, sum = 0;
        const times = t.times[i];
        for (let k = 0; k < times.length; k += 2) {
          step += times[k];
          if (step >= range.to) break;
          if (step >= range.from) sum += times[k + 1];
        }
        return sum;
      };
      const share = i => current.requests && current.requests.values[i] ? current.refused[i] / current.requests.values[i] : 0;
      const columns = () => {
        const list = [
          { key: "name", label: current.name + (current.about ? ", " + current.about.toLowerCase() : ""), value: i => current.names[i], first: true },
          { key: "refused", label: noun.many[0].toUpperCase() + noun.many.slice(1) + (all() ? "" : " in range"), value: i => counts[i], count: true },
        ];
        if (current.requests) list.push({ key: "share", label: "Share refused", value: share, share: true });
        current.columns.forEach((c, k) => list.push({ key: "column" + k, label: c.label, value: i => c.values[i], count: !c.time, time: c.time }));
        if (current.findings.some(f => f)) list.push({ key: "finding", label: "Finding", value: i => current.findings[i], finding: true });
        return list;
      };
      const shown = (c, i) => {
        const v = c.value(i);
        if (c.share) return (100 * v).toFixed(1) + "%";
        if (c.time) return v ? clock(v, true) : "–";
        return c.count ? number(v) : v;
      };
      const cell = (c, i) => {
        const e = make(c.first ? "th" : "td", undefined, c.first ? "" : c.finding ? "" : "num");
        if (c.first) {
          e.scope = "row";
          e.append(make("span", current.names[i], "log"));
          if (current.notes[i]) e.append(make("span", current.notes[i], "sub log"));
          e.title = current.names[i] + (current.notes[i] ? "\n" + current.notes[i] : "");
        } else if (c.finding) {
          const id = current.findings[i], nth = cards.get(id);
          if (nth) {
            const a = make("a", "Finding " + nth);
            a.href = "#" + encodeURIComponent(id);
            e.append(a);
          } else e.append(make("span", id || "–", "soft"));
        } else {
          e.textContent = shown(c, i);
          if (c.share) {
            const bar = make("span", undefined, "meter"), fill = make("i");
            bar.setAttribute("aria-hidden", "true");
            fill.style.width = 100 * Math.min(1, share(i)) + "%";
            bar.append(fill);
            e.append(bar);
          }
        }
        return e;
      };
      // fill creates the rows that are visible, between two gaps.
      let first = -1, last = -1;
      const gap = (n, list) => {
        const tr = make("tr", undefined, "gap"), td = make("td");
        td.colSpan = list.length;
        tr.setAttribute("aria-hidden", "true");
        tr.style.height = td.style.height = n * rowHeight + "px";
        tr.append(td);
        return tr;
      };
      const fill = force => {
        const from = Math.max(0, Math.floor(view.scrollTop / rowHeight) - margin);
        const to = Math.min(rows.length, from + Math.ceil(view.clientHeight / rowHeight) + 2 * margin);
        if (!force && from === first && to === last) return;
        first = from;
        last = to;
        const list = columns(), made = [];
        if (from > 0) made.push(gap(from, list));
        for (let r = from; r < to; r++) {
          const tr = make("tr");
          tr.setAttribute("aria-rowindex", String(r + 2));
          for (const c of list) tr.append(cell(c, rows[r]));
          made.push(tr);
        }
        if (to < rows.length) made.push(gap(rows.length - to, list));
        body.replaceChildren(...made);
      };
      const heads = () => {
        const tr = make("tr");
        tr.setAttribute("aria-rowindex", "1");
        for (const c of columns()) {
          const th = make("th", undefined, c.first ? "first" : c.finding ? "" : "num"), b = make("button", c.label);
          th.scope = "col";
          b.type = "button";
          const sorted = current.sort.key === c.key;
          th.setAttribute("aria-sort", sorted ? (current.sort.down ? "descending" : "ascending") : "none");
          if (sorted) b.append(current.sort.down ? " ↓" : " ↑");
          b.addEventListener("click", () => {
            current.sort = { key: c.key, down: sorted ? !current.sort.down : !(c.first || c.finding) };
            refill();
            const again = [...head.querySelectorAll("button")].find(x => x.textContent.startsWith(c.label));
            if (again) again.focus();
          });
          th.append(b);
          tr.append(th);
        }
        head.replaceChildren(tr);
      };
      refill = top => {
        const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
        for (const t of data.tables) { // hits in the other tables
          const hits = words.length ? t.text.filter(s => words.every(w => s.includes(w))).length : -1;
          byId("tab-" + t.id).textContent = t.label + (hits >= 0 ? " (" + number(hits) + ")" : "");
        }
        counts = current.refused.map((_, i) => inRange(current, i));
        rows = [];
        for (let i = 0; i < counts.length; i++) {
          if (counts[i] > 0 && words.every(w => current.text[i].includes(w)) || current.id === "findings" && all() && words.every(w => current.text[i].includes(w))) rows.push(i);
        }
        const by = columns().find(c => c.key === current.sort.key), sign = current.sort.down ? -1 : 1;
        const keys = new Map(rows.map(i => [i, by.value(i)]));
        rows.sort((a, b) => {
          const x = keys.get(a), y = keys.get(b);
          return (x < y ? -sign : x > y ? sign : 0) || a - b;
        });
        table.setAttribute("aria-rowcount", String(rows.length + 1));
        table.caption.textContent = current.label + (all() ? "" : ", from " + clock(at(range.from)) + " to " + clock(at(range.to)) + " " + zoneName());
        byId("shown").textContent = number(rows.length) + " of " + number(current.names.length) + " rows." +
          (current.left > 0 ? " " + number(current.left) + " more rows with fewer " + noun.many + " are in " + (current.id === "agents" || current.id === "upstreams" || current.id === "hosts" ? "unauthorized" : current.id) + ".parquet." : "");
        if (top) view.scrollTop = 0;
        heads();
        fill(true);
      };
      const tabs = byId("tabs");
      const pick = (t, focus) => {
        current = t;
        for (const b of tabs.children) {
          const on = b.id === "tab-" + t.id;
          b.setAttribute("aria-selected", String(on));
          b.tabIndex = on ? 0 : -1;
          if (on && focus) b.focus();
        }
        view.setAttribute("aria-labelledby", "tab-" + t.id);
        refill(true);
      };
      for (const t of data.tables) {
        const b = make("button", t.label);
        b.type = "button";
        b.id = "tab-" + t.id;
        b.setAttribute("role", "tab");
        b.setAttribute("aria-controls", "window");
        b.addEventListener("click", () => pick(t));
        tabs.append(b);
      }
      tabs.addEventListener("keydown", e => {
        const i = data.tables.indexOf(current), n = data.tables.length;
        const to = { ArrowRight: (i + 1) % n, ArrowLeft: (i + n - 1) % n, Home: 0, End: n - 1 }[e.key];
        if (to !== undefined) {
          e.preventDefault();
          pick(data.tables[to], true);
        }
      });
      view.addEventListener("scroll", () => fill(false), { passive: true });
      search.addEventListener("input", () => refill(true));

      // Export as tab-separated text, CSV or JSON. Cells that a spreadsheet would read
      // as a formula are made text: programs differ in which leading characters they
      // skip, and some read full-width signs as signs.
      const harmless = s => /^[\s";]*[=+\-@\uff0b\uff0d\uff1d\uff20]|^[\t\r\n]/.test(s) ? "'" + s : s;
      const plain = () => {
        const list = columns().filter(c => !c.first);
        const header = [current.name, ...(current.about ? [current.about] : []), ...list.map(c => c.label)];
        const cells = rows.map(i => [current.names[i], ...(current.about ? [current.notes[i]] : []),
          ...list.map(c => c.time ? (c.value(i) ? new Date(c.value(i)).toISOString() : "") : c.share ? Number(share(i).toFixed(6)) : c.value(i))]);
        return { header, cells };
      };
      const save = (text, type, suffix) => {
        const a = make("a"), url = URL.createObjectURL(new Blob([text], { type }));
        a.href = url;
        a.download = "logscan-" + current.id + suffix;
        a.click();
        setTimeout(() => URL.revokeObjectURL(url), 10000);
      };
      const quoted = v => {
        const s = typeof v === "number" ? String(v) : harmless(v);
        return /[",;\t\n\r]/.test(s) ? '"' + s.replaceAll('"', '""') + '"' : s;
      };
      byId("csv").addEventListener("click", () => {
        const { header, cells } = plain();
        save([header, ...cells].map(r => r.map(quoted).join(",")).join("\r\n") + "\r\n", "text/csv", ".csv");
      });
      byId("json").addEventListener("click", () => {
        const { header, cells } = plain();
        save(JSON.stringify(cells.map(r => Object.fromEntries(r.map((v, k) => [header[k], v]))), null, 1) + "\n", "application/json", ".json");
      });
      byId("copy").addEventListener("click", async () => {
        const { header, cells } = plain();
        const text = [header, ...cells].map(r => r.map(v => typeof v === "number" ? String(v) : harmless(v)).join("\t")).join("\n");
        const done = await copy(text);
        byId("shown").textContent = done ? number(cells.length) + (cells.length === 1 ? " row copied." : " rows copied.") : "The browser did not allow copying.";
      });
      byId("explore").hidden = false;
      byId("fixed").hidden = true;
      pick(current);
    }
  }
  open();
})();
