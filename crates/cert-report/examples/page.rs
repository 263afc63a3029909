// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::print_stdout, reason = "it shows what the crate makes")]
//! Shows what reports look like: `page NOW page|metrics|mail REPORT.json...`, NOW in seconds since 1970.

use std::error::Error;

use cert_report::{Fleet, Moment, Report, metrics, page, summary};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(now), Some(what)) = (arguments.next(), arguments.next()) else {
        return Err("page NOW page|metrics|mail REPORT.json...".into());
    };
    let now = Moment(now.parse()?);
    let reports: Vec<Report> = arguments
        .map(|path| Ok(Report::read(&std::fs::read(path)?)?))
        .collect::<Result<_, Box<dyn Error>>>()?;
    match what.as_str() {
        "metrics" => reports
            .iter()
            .for_each(|report| print!("{}", metrics(report))),
        "mail" => print!("{}", summary(&Fleet::of(reports), now).message(now)),
        _ => print!("{}", page(&Fleet::of(reports), now)),
    }
    Ok(())
}
