"use strict";
// Asks for the page again and again, and says so when there is no answer: what stands there is old then.
const every = 5000;
let answered = Date.now();

async function refresh() {
        const silent = document.getElementById("silent");
        try {
                const answer = await fetch(location.pathname, { cache: "no-store", signal: AbortSignal.timeout(every) });
                if (!answer.ok)
                        throw new Error(`HTTP ${answer.status}`);
                const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
                document.querySelector("main").replaceWith(fresh.querySelector("main"));
                document.title = fresh.title;
                answered = Date.now();
                silent.hidden = true;
        } catch (error) {
                silent.textContent = `No answer for ${Math.round((Date.now() - answered) / 1000)} s: what stands here is old.`;
                silent.hidden = false;
        }
}

setInterval(() => document.hidden || refresh(), every);
