//! The kills: in the middle of the load, in the middle of a start, and twice at once.

use std::time::Duration;

use super::CrashOptions;
use crate::dice::Dice;
use crate::trial::Trial;

/// What was done to the server.
#[derive(Debug, Default)]
pub(super) struct Kills {
    /// On an empty folder, while it made its database.
    pub(super) in_first_start: usize,
    /// While callbacks and messages poured in.
    pub(super) under_load: usize,
    /// While it started on the data of an earlier run.
    pub(super) in_start: usize,
    /// Of those, at once after another kill.
    pub(super) at_once: usize,
    /// How long each start took until it was ready, sorted.
    pub(super) starts: Vec<Duration>,
}

impl Kills {
    pub(super) fn total(&self) -> usize {
        self.in_first_start + self.under_load + self.in_start
    }
}

/// Kills some starts on an empty folder, then lets one through. How long a start takes is tried out first.
pub(super) async fn first_starts(
    trial: &mut Trial,
    kills: &mut Kills,
    count: usize,
    dice: &mut Dice,
) -> anyhow::Result<Duration> {
    let took = trial.start().await?;
    trial.kill()?;
    trial.forget_data().await?;
    for _ in 0..count {
        killed_start(trial, took, dice).await?;
        kills.in_first_start += 1;
    }
    kills.starts.push(trial.start().await?);
    Ok(took)
}

/// Kills the loaded server again and again; it runs when this returns.
pub(super) async fn kill_again_and_again(
    trial: &mut Trial,
    kills: &mut Kills,
    options: &CrashOptions,
    start: Duration,
    dice: &mut Dice,
) -> anyhow::Result<()> {
    while kills.total() < options.kills {
        // A life long enough for bursts, or one that ends in the middle of the replay of the last one.
        let life = dice.below(options.longest_life);
        tokio::time::sleep(Duration::from_millis(life)).await;
        trial.kill()?;
        kills.under_load += 1;
        let more = match dice.below(10) {
            0 | 1 => 1,
            2 => 2,
            _ => 0,
        };
        for number in 0..more {
            if kills.total() == options.kills {
                break;
            }
            let within = if number == 0 { start } else { start / 20 };
            killed_start(trial, within, dice).await?;
            kills.in_start += 1;
            kills.at_once += usize::from(number > 0);
        }
        kills.starts.push(trial.start().await?);
    }
    kills.starts.sort_unstable();
    Ok(())
}

/// Starts the server and kills it somewhere within this time.
async fn killed_start(trial: &mut Trial, within: Duration, dice: &mut Dice) -> anyhow::Result<()> {
    trial.spawn()?;
    let micros = u64::try_from(within.as_micros()).unwrap_or(u64::MAX);
    tokio::time::sleep(Duration::from_micros(dice.below(micros))).await;
    trial.kill()
}
