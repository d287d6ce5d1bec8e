use std::path::PathBuf;
use std::time::{Duration, Instant};

use ledger::Random;

use super::diary::Diary;
use super::disk::Disk;
use super::member::{Member, Mode, Role};
use super::{Action, Options};
use crate::cluster::Guardian;

/// A clean stop must not take longer, and a full disk must be noticed within it.
const STOP: Duration = Duration::from_secs(60);
/// Before a process that ended by itself is started again.
const BACK_OFF: Duration = Duration::from_secs(2);

/// All processes of the application.
pub(super) struct Members {
    all: Vec<Member>,
    bootstrap: String,
    settings: Vec<String>,
    program: PathBuf,
    most: usize,
    /// How long a pause must be for the group to give up on a process.
    session: Duration,
    guardian: Guardian,
}

impl Members {
    /// Starts those there are from the beginning: the static ones first, the last on a small disk if disks are to be filled.
    pub(super) fn start(options: &Options, bootstrap: &str, session: Duration, guardian: &Guardian) -> Members {
        let mut members = Members {
            all: Vec::new(),
            bootstrap: bootstrap.to_owned(),
            settings: options.settings.clone(),
            program: options.ledger.clone(),
            most: options.size.members + 2,
            session,
            guardian: guardian.clone(),
        };
        let fills_disks = options.actions.contains(&Action::FillDisk);
        for index in 0..options.size.members {
            members.add(index < options.size.static_members, fills_disks && index + 1 == options.size.members, false);
        }
        members
    }

    fn add(&mut self, is_static: bool, has_disk: bool, is_extra: bool) {
        let number = self.all.len() + 1;
        let role = Role { number, bootstrap: &self.bootstrap, settings: &self.settings, is_static, has_disk, is_extra };
        let mut member = Member::new(&role, &self.program, &self.guardian);
        member.start();
        self.all.push(member);
    }

    /// Does it to one of them; false if there is none it can be done to just now.
    pub(super) fn act(&mut self, action: Action, random: &mut Random, diary: &Diary) -> bool {
        let now = Instant::now();
        if action == Action::AddApp {
            return self.add_one(diary);
        }
        let others_running = self.all.iter().filter(|member| member.mode == Mode::Running).count() > 1;
        let fits = |member: &Member| match action {
            Action::RemoveApp => member.is_extra,
            Action::FillDisk => member.disk.is_some(),
            _ => true,
        };
        let candidates: Vec<usize> =
            (0..self.all.len()).filter(|index| self.all[*index].mode == Mode::Running && fits(&self.all[*index])).collect();
        if candidates.is_empty() || !others_running {
            return false;
        }
        let member = &mut self.all[candidates[random.below(candidates.len() as u64) as usize]];
        let down = Duration::from_millis(random.below(4_000));
        match action {
            Action::KillApp | Action::LoseDisk => {
                member.kill();
                if action == Action::LoseDisk {
                    member.wipe();
                }
                member.mode = Mode::Down(now + down);
            }
            Action::StopApp | Action::RemoveApp => {
                member.signal("TERM");
                member.mode = Mode::Stopping { since: now, comes_back: action == Action::StopApp };
            }
            Action::PauseApp => {
                member.signal("STOP");
                member.mode = Mode::Paused(now + self.session + down);
            }
            Action::FillDisk => {
                member.disk.as_ref().expect("asked for above").fill();
                member.mode = Mode::Full(now);
            }
            _ => return false,
        }
        diary.action(action, &member.name);
        true
    }

    fn add_one(&mut self, diary: &Diary) -> bool {
        if let Some(member) = self.all.iter_mut().find(|member| member.mode == Mode::Gone) {
            member.start();
            diary.action(Action::AddApp, &member.name);
        } else if self.all.len() < self.most {
            self.add(false, false, true);
            diary.action(Action::AddApp, format_args!("app-{}", self.all.len()));
        } else {
            return false;
        }
        true
    }

    /// Looks after every process: goes on with what was begun, notices what ended by itself.
    pub(super) fn look_after(&mut self, diary: &Diary) {
        self.all.iter_mut().for_each(|member| look_after(member, diary));
    }

    /// Undoes everything: no pause, no full disk, all that are to run run.
    pub(super) fn calm(&mut self) {
        let now = Instant::now();
        for member in &mut self.all {
            match member.mode {
                Mode::Paused(_) => member.mode = Mode::Paused(now),
                Mode::Down(_) => member.mode = Mode::Down(now),
                Mode::Full(_) => make_room(member),
                _ => {}
            }
        }
    }

    /// Whether all that are to run do.
    pub(super) fn are_calm(&self) -> bool {
        self.all.iter().all(|member| matches!(member.mode, Mode::Running | Mode::Gone))
    }

    /// Asks all of them to stop for good.
    pub(super) fn stop(&mut self) {
        for member in self.all.iter_mut().filter(|member| member.mode != Mode::Gone) {
            member.signal("TERM");
            member.mode = Mode::Stopping { since: Instant::now(), comes_back: false };
        }
    }

    /// Whether none is left.
    pub(super) fn are_gone(&self) -> bool {
        self.all.iter().all(|member| member.mode == Mode::Gone)
    }
}

fn look_after(member: &mut Member, diary: &Diary) {
    let now = Instant::now();
    let ended = member.ended();
    match (member.mode, ended) {
        (Mode::Running | Mode::Paused(_), Some(status)) => {
            diary.violation(format_args!("{} ended by itself ({status}):\n        | {}", member.name, member.last_words()));
            member.mode = Mode::Down(now + BACK_OFF);
        }
        (Mode::Paused(until), None) if now >= until => {
            member.signal("CONT");
            member.mode = Mode::Running;
            diary.note(format_args!("  {} goes on", member.name));
        }
        (Mode::Stopping { comes_back, .. }, Some(status)) => {
            if !status.success() {
                diary.violation(format_args!(
                    "{} did not stop cleanly ({status}):\n        | {}",
                    member.name,
                    member.last_words()
                ));
            }
            member.mode = if comes_back { Mode::Down(now) } else { Mode::Gone };
        }
        (Mode::Stopping { since, comes_back }, None) if since.elapsed() > STOP => {
            diary.violation(format_args!("{} does not stop within {STOP:?}:\n        | {}", member.name, member.last_words()));
            member.kill();
            member.mode = if comes_back { Mode::Down(now) } else { Mode::Gone };
        }
        (Mode::Full(since), ended) if ended.is_some() || since.elapsed() > STOP => {
            let how =
                ended.map_or_else(|| String::from("had nothing to write and is killed"), |status| format!("ended ({status})"));
            diary.note(format_args!("  {} {how}; there is room again", member.name));
            make_room(member);
        }
        (Mode::Down(until), _) if now >= until => {
            member.start();
            diary.note(format_args!("  {} starts again", member.name));
        }
        _ => {}
    }
}

/// Ends the process if need be: freed under one that has seen the failure already, the disk would explain nothing any more.
fn make_room(member: &mut Member) {
    member.kill();
    member.disk.iter().for_each(Disk::free);
    member.mode = Mode::Down(Instant::now());
}
