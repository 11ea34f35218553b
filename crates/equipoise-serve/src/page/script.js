// Asks the server for the same page with the values of a form as soon as they change, and puts the parts of it that follow from
// them in place. Every state has an address, so that without this file the forms and links reach the same states.
'use strict';
(() => {
  document.documentElement.classList.add('script');
  const forms = ['search', 'settings'].map((id) => document.getElementById(id)).filter(Boolean);
  let asked = null;
  let timer = 0;

  const say = (text) => {
    document.getElementById('said').textContent = text;
  };

  const address = (form) => {
    const fields = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (value !== '') fields.append(name, value);
    }
    return '?' + fields;
  };

  // Everything with `data-live` follows from the address; fields that the reader holds are not among it.
  const place = (text) => {
    const page = new DOMParser().parseFromString(text, 'text/html');
    for (const old of document.querySelectorAll('[data-live]')) {
      const made = page.getElementById(old.id);
      if (made) old.replaceWith(document.adoptNode(made));
    }
    document.title = page.title;
    const status = document.querySelector('.fault, .status');
    if (status) say(status.textContent);
  };

  const ask = async (form) => {
    if (asked) asked.abort();
    const mine = (asked = new AbortController());
    const to = address(form);
    try {
      const answer = await fetch(to, { signal: mine.signal });
      const text = await answer.text();
      if (mine.signal.aborted) return;
      place(text);
      if (answer.ok) history.replaceState(null, '', to);
    } catch (error) {
      if (error.name === 'AbortError') return;
      const status = document.querySelector('.status');
      if (status) status.textContent = 'The server does not answer.';
      say('The server does not answer.');
    }
  };

  for (const form of forms) {
    form.addEventListener('input', (event) => {
      const output = event.target.type === 'range' && event.target.parentElement.querySelector('output');
      if (output) output.textContent = event.target.value;
      clearTimeout(timer);
      timer = setTimeout(() => ask(form), event.target.type === 'search' ? 150 : 30);
    });
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      clearTimeout(timer);
      ask(form);
    });
  }
})();
