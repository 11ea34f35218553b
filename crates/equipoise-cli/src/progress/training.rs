//! The progress of a training.

use super::span::span;
use equipoise_balance::HeadLosses;
use equipoise_train::Role;
use equipoise_train::events::{ContentRecord, Ending, EpochRecord, Event, Listener, StackRecord};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::Instant;

/// Shows what happens.
pub struct Progress {
    quiet: bool,
    bar: Option<ProgressBar>,
    terminal: bool,
    metric: String,
    epochs: usize,
    steps: usize,
    best: Option<(f64, usize)>,
    start: Instant,
    /// Epochs that were done before.
    before: usize,
}

impl Progress {
    /// A display before anything happens.
    pub fn new(quiet: bool) -> Progress {
        let terminal = std::io::stderr().is_terminal();
        let (metric, start) = (String::new(), Instant::now());
        Progress { quiet, bar: None, terminal, metric, epochs: 0, steps: 0, best: None, start, before: 0 }
    }

    /// Says something about the work as a whole.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            match &self.bar {
                Some(bar) => bar.println(text),
                None => crate::print::say(text),
            }
        }
    }

    fn begin(&mut self, role: &Role, parameters: usize) {
        (self.best, self.before) = (None, 0);
        self.start = Instant::now();
        let millions = parameters as f64 / 1e6;
        self.say(&format!("training {role}: {millions:.2} M parameters, {} steps an epoch", self.steps));
        if self.terminal && !self.quiet {
            let style =
                "{prefix:>14} {wide_bar} {pos}/{len} {msg} [{elapsed_precise}, at most {eta_precise} left]";
            let style = ProgressStyle::with_template(style).expect("the template is well formed");
            let bar = ProgressBar::new((self.epochs * self.steps) as u64).with_style(style);
            bar.set_prefix(role.to_string());
            self.bar = Some(bar);
        }
    }

    fn resumed(&self, role: &Role, epoch: usize, began_on: Option<&str>) {
        self.say(&format!("  {role}: goes on at epoch {epoch} of a training that was interrupted"));
        if let Some(kind) = began_on {
            self.say(&format!(
                "  it began on a processor of another kind ({kind}): the last digits of its numbers may differ from those of a \
                 training on one kind alone"
            ));
        }
    }

    fn epoch(&mut self, record: &EpochRecord) {
        if let Some(value) = record.validation
            && record.epoch > 0
            && self.best.is_none_or(|(best, _)| value > best)
        {
            self.best = Some((value, record.epoch));
        }
        if self.bar.is_none() && record.epoch > 0 && record.validation.is_some() {
            self.say(&self.line(record));
        }
    }

    fn line(&self, record: &EpochRecord) -> String {
        let done = self.start.elapsed().as_secs_f64();
        let left = done / (record.epoch - self.before) as f64 * (self.epochs - record.epoch) as f64;
        format!(
            "  epoch {:>4}/{}  loss {:.4}  validation {} {:.4}{}  at most {} left",
            record.epoch,
            self.epochs,
            record.loss,
            self.metric,
            record.validation.unwrap_or(f64::NAN),
            self.best_so_far(),
            span(left)
        )
    }

    fn best_so_far(&self) -> String {
        self.best.map_or(String::new(), |(value, epoch)| format!(" (best {value:.4} at {epoch})"))
    }

    fn message(&self, loss: f64) -> String {
        format!("loss {loss:.4}{}", self.best_so_far())
    }

    fn end(&mut self, event: &Event) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        let Event::Finished { role, ending, epochs, best_epoch, best, seconds } = event else { return };
        let why = match ending {
            Ending::EarlyStop => "no further gain",
            Ending::LastEpoch => "last epoch",
            Ending::Interrupted => "interrupted",
        };
        let (metric, time) = (&self.metric, span(*seconds));
        self.say(&format!(
            "  {role}: validation {metric} {best:.4} at epoch {best_epoch} of {epochs} ({why}), {time}"
        ));
    }
}

impl Listener<Event> for Progress {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Started { role, parameters, epochs, steps_per_epoch, metric } => {
                (self.epochs, self.steps, self.metric) = (*epochs, *steps_per_epoch, metric.clone());
                self.begin(role, *parameters);
            }
            Event::Step { epoch, step, loss } => {
                if let Some(bar) = &self.bar {
                    bar.set_position(((epoch - 1) * self.steps + step) as u64);
                    bar.set_message(self.message(*loss));
                }
            }
            Event::Epoch(record) => self.epoch(record),
            Event::Resumed { role, epoch, best, best_epoch, began_on, .. } => {
                self.best = (*best_epoch > 0).then_some((*best, *best_epoch));
                self.before = epoch - 1;
                self.resumed(role, *epoch, began_on.as_deref());
            }
            Event::Finished { .. } => self.end(event),
            Event::TeacherReused { modality, path } => {
                self.say(&format!("{}: saved one used, {path}", Role::Teacher(modality.clone())))
            }
            Event::PlainReused { path } => self.say(&format!("{}: saved one used, {path}", Role::Plain)),
            Event::IdsReused { role, path } => self.say(&format!("{role}: saved one used, {path}")),
            Event::Stack { record } => self.say(&stack(record)),
            Event::Head { modality, losses } => self.say(&head(modality.as_deref(), losses)),
            Event::Note { text } => self.say(text),
        }
    }
}

fn stack(record: &StackRecord) -> String {
    let StackRecord { gate, teachers, plain, error, gain, gain_error, modalities, .. } = record;
    let content = |m: &ContentRecord| {
        let worth = format!("worth {:.4} nats (standard error {:.4}) beside the rest", m.gain, m.gain_error);
        if m.content > 0.0 {
            format!("\n  {}: its content is taught with weight {:.2}, {worth}", m.modality, m.content)
        } else {
            format!("\n  {}: its content is not taught, {worth}", m.modality)
        }
    };
    let contents: String = modalities.iter().map(content).collect();
    format!(
        "  the sum of the teachers reaches {teachers:.4}, the plain model {plain:.4} (standard error of the difference {error:.4}); it is \
         worth {gain:.4} nats (standard error {gain_error:.4}) beside that model: teaching is open by {gate:.2}{contents}"
    )
}

fn head(modality: Option<&str>, losses: &HeadLosses) -> String {
    let (before, after) = (losses.before, losses.after);
    format!(
        "  {} alone: validation loss {:.4} to {:.4}, train loss {:.4} to {:.4}",
        modality.unwrap_or("whole model"),
        before.validation,
        after.validation,
        before.train,
        after.train
    )
}
