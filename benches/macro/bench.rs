use headwater_benches::Workload;

use crate::contender::Contender;
use crate::live::beside::{self, Beside};
use crate::live::latency::{self, Latency};
use crate::live::restart::{self, Restart};
use crate::peer::Peer;
use crate::report::{Entry, Figures, Origin, Table};
use crate::run::{self, Measured};
use crate::settings::{Settings, Variant};
use crate::stage::Stage;

/// The round that is not measured.
const REHEARSAL: usize = 0;

/// Everything that is run on one broker. Each method runs one kind, prints its table, and answers whether all of it went well.
pub(crate) struct Bench<'a> {
    pub(crate) stage: Stage,
    pub(crate) settings: &'a Settings,
    pub(crate) peer: Peer,
    pub(crate) origin: Origin,
}

impl Bench<'_> {
    /// Records per second of the workloads, from what is there already.
    pub(crate) fn throughput(&self) -> Result<bool, String> {
        let measured = self.settings.workloads.iter().filter(|workload| **workload != Workload::W5);
        let variants: Vec<Variant> = measured.flat_map(|workload| self.settings.variants(*workload)).collect();
        let mut entries: Vec<Entry<Measured>> = Vec::new();
        for (round, variant, contender) in self.schedule(&variants).filter(|(_, variant, contender)| contender.runs(*variant)) {
            let number = number(round, &entries);
            let result = run::run(&self.stage, self.settings, &self.peer, (variant, contender, number));
            let entry = Entry { variant, contender: contender.to_string(), round, result };
            self.keep(&mut entries, "throughput", entry, |measured| {
                format!("{:.0} records/s, {:.1} s", measured.records_per_second, measured.total_seconds)
            })?;
        }
        Ok(self.conclude(!variants.is_empty(), &entries, |table| table.throughput()))
    }

    /// Latency of what comes at a rate.
    pub(crate) fn latency(&self) -> Result<bool, String> {
        let mut entries: Vec<Entry<Latency>> = Vec::new();
        let variants = self.settings.latency_variants();
        for (round, variant, contender) in self.schedule(&variants).filter(|(.., contender)| *contender != Contender::Plain) {
            let number = number(round, &entries);
            let result = latency::run(&self.stage, self.settings, &self.peer, (variant, contender, number));
            let entry = Entry { variant, contender: contender.to_string(), round, result };
            self.keep(&mut entries, "latency", entry, |measured| {
                format!("p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms", measured.p50_ms, measured.p99_ms, measured.max_ms)
            })?;
        }
        Ok(self.conclude(!variants.is_empty(), &entries, |table| table.latency()))
    }

    /// Latency with a throttled backfill beside the live application, and without.
    pub(crate) fn beside(&self) -> Result<bool, String> {
        let is_asked = self.settings.beside && self.settings.contenders.contains(&Contender::Headwater);
        let rounds = if is_asked { self.settings.rounds } else { 0 };
        let mut entries: Vec<Entry<Beside>> = Vec::new();
        for round in 1..=rounds {
            for case in beside::cases(round) {
                let variant = Variant::KEYED_SUM;
                let result = beside::run(&self.stage, self.settings, &self.peer, (variant, case, entries.len() + 1));
                let entry = Entry { variant, contender: case.0.to_owned(), round, result };
                self.keep(&mut entries, "beside", entry, |Beside { latency, backfilled, .. }| {
                    let backfill =
                        backfilled.map(|backfilled| format!(", backfill {:.0} records/s", backfilled.records_per_second));
                    format!("p50 {:.1} ms, p99 {:.1} ms{}", latency.p50_ms, latency.p99_ms, backfill.unwrap_or_default())
                })?;
            }
        }
        Ok(self.conclude(self.settings.beside, &entries, |table| table.beside()))
    }

    /// A stop and a start under a steady input.
    pub(crate) fn restart(&self) -> Result<bool, String> {
        let rounds = if self.settings.restart { self.settings.rounds } else { 0 };
        let asked = |contender: Contender| self.settings.contenders.contains(&contender);
        let mut entries: Vec<Entry<Restart>> = Vec::new();
        for round in 1..=rounds {
            for case in restart::CASES.into_iter().filter(|case| asked(case.1)) {
                let variant = Variant::KEYED_SUM;
                let result = restart::run(&self.stage, self.settings, &self.peer, (variant, case, entries.len() + 1));
                let entry = Entry { variant, contender: case.0.to_owned(), round, result };
                self.keep(&mut entries, "restart", entry, |measured| {
                    format!("{:.2} s from its start to its first result", measured.first_seconds)
                })?;
            }
        }
        Ok(self.conclude(self.settings.restart, &entries, |table| table.restart()))
    }

    /// Rounds, in each all variants, and of each all contenders: what drifts on the machine meets everybody alike. Where there are several, a
    /// rehearsal of the first variant comes before them: the broker's JVM takes a minute of work to compile what it does, and whoever came first
    /// would pay for that.
    fn schedule<'a>(&'a self, variants: &'a [Variant]) -> impl Iterator<Item = (usize, Variant, Contender)> + 'a {
        let first = if self.settings.rounds > 1 { REHEARSAL } else { 1 };
        (first..=self.settings.rounds).flat_map(move |round| {
            let variants = if round == REHEARSAL { &variants[..variants.len().min(1)] } else { variants };
            let contenders = self.settings.contenders.iter();
            variants.iter().flat_map(move |variant| contenders.clone().map(move |contender| (round, *variant, *contender)))
        })
    }

    fn keep<M: Figures>(
        &self,
        entries: &mut Vec<Entry<M>>,
        kind: &str,
        entry: Entry<M>,
        tell: impl FnOnce(&M) -> String,
    ) -> Result<(), String> {
        entry.tell(tell);
        // A wrong result counts whenever it comes.
        if entry.round != REHEARSAL || entry.result.is_err() {
            entry.write(kind, self.settings, &self.origin)?;
            entries.push(entry);
        }
        self.stage.is_up().map_err(|_| "the broker has ended; what was measured before is in the lines above".to_owned())
    }

    /// Nothing that was run is no success where something was asked for.
    fn conclude<M>(&self, is_asked: bool, entries: &[Entry<M>], table: impl FnOnce(&Table<'_, M>) -> String) -> bool {
        if entries.is_empty() {
            if is_asked {
                eprintln!("macro: none of the contenders in ONLY does one of the workloads: give others, or leave ONLY out");
            }
            return !is_asked;
        }
        println!("{}", table(&Table { settings: self.settings, origin: &self.origin, entries }));
        entries.iter().all(|entry| entry.result.is_ok())
    }
}

/// What tells a run's topics and groups from those of others.
fn number<M>(round: usize, before: &[Entry<M>]) -> usize {
    if round == REHEARSAL { 0 } else { before.len() + 1 }
}
