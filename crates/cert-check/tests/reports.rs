// SPDX-License-Identifier: Apache-2.0
//! The check without Ansible, `--config FILE`, and the reports that it writes.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that starts programs"
)]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use support::{Leaf, Pki, at};
use testbed::servers::free_port;

fn check(pki: &Pki, mut options: Value) -> Output {
    let trust = json!({"system": false, "ca_path": [pki.path("root.pem")]});
    options
        .as_object_mut()
        .unwrap()
        .entry("trust")
        .or_insert(trust);
    fs::write(pki.path("config.json"), options.to_string()).unwrap();
    configured(&pki.path("config.json"))
}

fn configured(path: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cert_check"));
    command.arg("--config").arg(path).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn the_status_tells_programs_and_the_text_people() {
    let pki = Pki::new();
    let (good, late) = (
        pki.leaf("good.test"),
        pki.leaf_of(
            "sub",
            "late.test",
            &Leaf {
                made: Some("-70d"),
                ..Leaf::default()
            },
        ),
    );
    let (_good, good) = pki.s_server(&good, &[]);
    let (_late, late) = pki.s_server(&late, &[]);
    let (good, late, dead) = (
        at(good, "good.test"),
        at(late, "late.test"),
        at(free_port(), "dead.test"),
    );
    let fine = check(&pki, json!({"endpoints": [good]}));
    assert_eq!(fine.status.code(), Some(0), "{}", said(&fine));
    assert!(
        said(&fine).contains("1 ok, 0 with warnings, 0 failed"),
        "{}",
        said(&fine)
    );
    let warned = check(
        &pki,
        json!({"endpoints": [good, late], "report": {"host": "node-7"}}),
    );
    assert_eq!(warned.status.code(), Some(1), "{}", said(&warned));
    assert!(
        said(&warned)
            .starts_with("warn on node-7: 1 ok, 1 with warnings, 0 failed\nwarn: late.test ("),
        "{}",
        said(&warned)
    );
    assert!(
        said(&warned).contains("[expires_soon]"),
        "{}",
        said(&warned)
    );
    let failed = check(&pki, json!({"endpoints": [late, dead, good]}));
    assert_eq!(failed.status.code(), Some(2), "{}", said(&failed));
    let lines: Vec<String> = said(&failed)
        .lines()
        .map(|line| line.chars().take(5).collect())
        .collect();
    assert_eq!(lines, ["fail ", "fail:", "warn:"], "the worst first");
}

#[test]
fn what_cannot_be_checked_is_neither_well_nor_a_finding() {
    let pki = Pki::new();
    let wrong = check(&pki, json!({"endpoints": [{"hots": "a.test"}]}));
    assert_eq!(wrong.status.code(), Some(3));
    let told = String::from_utf8(wrong.stderr).unwrap();
    assert!(
        told.contains("endpoints[0].hots: unknown option, did you mean 'host'?"),
        "{told}"
    );
    assert_eq!(configured(&pki.path("nothing.json")).status.code(), Some(3));
    let untrusted = check(
        &pki,
        json!({"domains": ["a.test"], "trust": {"ca_path": [pki.path("nothing.pem")]}}),
    );
    assert_eq!(untrusted.status.code(), Some(3));
    assert!(
        String::from_utf8(untrusted.stderr)
            .unwrap()
            .contains("nothing.pem")
    );
}

#[test]
fn reports_are_written_also_when_the_task_fails_and_not_in_check_mode() {
    let pki = Pki::new();
    let pair = pki.leaf("good.test");
    let (_server, port) = pki.s_server(&pair, &[]);
    let paths = ["json", "prom", "html"].map(|ending| pki.path(&format!("report.{ending}")));
    let options = json!({
        "endpoints": [at(port, "good.test"), at(free_port(), "dead.test")],
        "report": {"json": paths[0], "prometheus": paths[1], "html": paths[2], "host": "node-7"},
        "fail_on": "fail",
    });
    let module = testbed::ModuleRun::new(env!("CARGO_BIN_EXE_cert_check"));
    let mut all = options.clone();
    all["trust"] = json!({"system": false, "ca_path": [pki.path("root.pem")]});
    let answer = module.clone().args(all.clone()).check(true).run();
    assert!(answer.failed() && answer.changed(), "{}", answer.report());
    assert!(paths.iter().all(|path| !path.exists()));
    let answer = module.args(all).run();
    answer.expect(&json!({"failed": true, "changed": true, "error": {"kind": "check.failed"}, "written": paths}));
    let report = cert_report::Report::read(&fs::read(&paths[0]).unwrap()).unwrap();
    assert_eq!(
        (report.host.as_str(), report.endpoints.len()),
        ("node-7", 2)
    );
    assert_eq!(json!(report.endpoints), answer.value["endpoints"]);
    let metrics = fs::read_to_string(&paths[1]).unwrap();
    assert!(metrics.contains("good.test"), "{metrics}");
    let page = fs::read_to_string(&paths[2]).unwrap();
    assert!(page.contains("good.test") && page.contains("dead.test") && page.contains("</html>"));
}

#[test]
fn a_report_that_cannot_be_written_costs_neither_the_others_nor_the_findings() {
    let pki = Pki::new();
    let pair = pki.leaf("good.test");
    let (page, nowhere) = (pki.path("page.html"), pki.path("root.pem/report.json"));
    let options = json!({
        "files": [{"path": pair.certificate, "served": false}, {"path": pki.path("missing.pem")}],
        "report": {"json": nowhere, "html": page, "include": [pki.path("nobody.json")]},
        "trust": {"system": false, "ca_path": [pki.path("root.pem")]},
    });
    let answer = testbed::ModuleRun::new(env!("CARGO_BIN_EXE_cert_check"))
        .args(options.clone())
        .run();
    answer.expect(&json!({"failed": true, "changed": true, "status": "fail", "written": [page], "error": {"kind": "files.not_a_directory"}}));
    fs::remove_file(&page).unwrap();
    fs::write(pki.path("config.json"), options.to_string()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cert_check"));
    let mail = command
        .arg("--config")
        .arg(pki.path("config.json"))
        .arg("--mail");
    let told = mail.output().unwrap();
    let text = said(&told);
    assert_eq!(told.status.code(), Some(2), "{text}");
    for words in [
        "; a report could not be written\n",
        "-unwritten\n",
        "missing.pem",
        "\nnote: the report '",
        "\nnote: cannot write the report '",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(page.exists());
}

#[test]
fn the_page_shows_other_hosts_and_leaves_out_what_cannot_be_read() {
    let pki = Pki::new();
    let pair = pki.leaf("good.test");
    let (_server, port) = pki.s_server(&pair, &[]);
    fs::create_dir(pki.path("hosts")).unwrap();
    for host in ["node-1", "node-2"] {
        let report = json!({"json": pki.path(&format!("hosts/{host}.json")), "host": host});
        let endpoint = json!({"host": "127.0.0.1", "port": port, "sni": "good.test", "service": format!("of-{host}")});
        let done = check(&pki, json!({"endpoints": [endpoint], "report": report}));
        assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    }
    fs::write(pki.path("hosts/cut.json"), "{\"version\": 1").unwrap();
    let report =
        json!({"html": pki.path("fleet.html"), "include": [pki.path("hosts")], "host": "node-3"});
    let done = check(
        &pki,
        json!({"endpoints": [at(port, "good.test")], "report": report}),
    );
    let page = fs::read_to_string(pki.path("fleet.html")).unwrap();
    assert!(
        ["of-node-1", "of-node-2"]
            .iter()
            .all(|service| page.contains(service))
    );
    assert!(
        said(&done).contains("cut.json' is not in the page"),
        "{}",
        said(&done)
    );
}
