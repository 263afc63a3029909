// SPDX-License-Identifier: Apache-2.0
#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

/// As pacemaker 2.1.5 writes it, of a bundle of two replicas with something inside; `{}` are attributes.
fn said(cluster: &str, node: &str, container: &str, where_it_is: &str, failures: &str) -> String {
    format!(
        r#"<pacemaker-result api-version="2.25" request="crm_mon -1 --output-as=xml">
  <summary>
    <current_dc present="true" version="2.1.5" name="one" id="1" with_quorum="true"/>
    <cluster_options stonith-enabled="false" maintenance-mode="{cluster}"/>
  </summary>
  <nodes><node name="one" id="1" online="true" maintenance="{node}"/><node name="two" id="2" online="true" maintenance="false"/></nodes>
  <resources>
    <bundle id="db-bundle" type="podman" image="x" unique="false" managed="true" failed="false">
      <replica id="0">
        <resource id="db-ip-10.0.0.1" resource_agent="ocf:heartbeat:IPaddr2" role="Started" active="true" managed="true"/>
        <resource id="db" resource_agent="ocf:heartbeat:galera" role="Promoted" active="true" managed="true"/>
        <resource id="db-bundle-podman-0" resource_agent="ocf:heartbeat:podman" role="Started" blocked="false" {container}>{where_it_is}</resource>
        <resource id="db-bundle-0" resource_agent="ocf:pacemaker:remote" role="Started" active="true" managed="true"/>
      </replica>
      <replica id="1">
        <resource id="db-bundle-podman-1" resource_agent="ocf:heartbeat:podman" role="Started" managed="true"><node name="two" id="2"/></resource>
      </replica>
    </bundle>
  </resources>
  <failures>{failures}</failures>
  <status code="0" message="OK"/>
</pacemaker-result>"#
    )
}

const HERE: &str = r#"<node name="one" id="1" cached="true"/>"#;

fn replica(text: &str) -> Replica {
    let status = Status::read(text, "one").unwrap();
    status
        .replica("db-bundle-podman-0", "podman")
        .unwrap()
        .clone()
}

#[test]
fn a_container_is_a_replica_by_its_exact_name_and_engine() {
    let status = Status::read(
        &said("false", "false", r#"managed="true""#, HERE, ""),
        "one",
    )
    .unwrap();
    let found = status.replica("db-bundle-podman-0", "podman").unwrap();
    assert_eq!(
        (found.bundle.as_str(), found.is_here()),
        ("db-bundle", true)
    );
    assert_eq!((found.obstacle(), found.is_watched()), (None, true));
    for (name, engine) in [
        ("db-bundle-podman-0", "docker"),
        ("db-bundle-podman", "podman"),
        ("db-bundle-podman-01", "podman"),
        ("x-db-bundle-podman-0", "podman"),
        // What runs inside, and the connection to it, are no containers.
        ("db", "podman"),
        ("db-bundle-0", "podman"),
    ] {
        assert_eq!(status.replica(name, engine), None, "{name} {engine}");
    }
}

#[test]
fn what_pacemaker_would_not_restart_is_said_with_what_to_do() {
    for (text, words, is_watched) in [
        (
            said("false", "false", r#"managed="false""#, HERE, ""),
            "is-managed=false",
            false,
        ),
        (
            said("true", "false", r#"managed="false""#, HERE, ""),
            "maintenance-mode --delete",
            false,
        ),
        (
            said("false", "true", r#"managed="true""#, HERE, ""),
            "--node one --name maintenance",
            false,
        ),
        (
            said(
                "false",
                "false",
                r#"managed="true" target_role="Stopped""#,
                "",
                "",
            ),
            "target-role=Stopped",
            true,
        ),
        (
            said("false", "false", r#"managed="true""#, "", ""),
            "does not run it now",
            true,
        ),
        (
            said(
                "false",
                "false",
                r#"managed="true""#,
                r#"<node name="two" id="2"/>"#,
                "",
            ),
            "runs it on 'two'",
            true,
        ),
    ] {
        let found = replica(&text);
        let said = found.obstacle().unwrap();
        assert!(said.contains(words), "{said}");
        assert_eq!(found.is_watched(), is_watched, "{said}");
    }
}

#[test]
fn what_starts_or_stops_is_not_up() {
    for (attributes, is_up) in [
        (r#"managed="true" active="true""#, true),
        (r#"managed="true" active="false""#, false),
    ] {
        let found = replica(&said("false", "false", attributes, HERE, ""));
        assert_eq!(
            (found.is_up, found.up_inside),
            (is_up, 3 + usize::from(is_up))
        );
    }
    let text = said(
        "false",
        "false",
        r#"managed="true" active="true""#,
        HERE,
        "",
    );
    for role in ["Starting", "Stopping", "Stopped"] {
        let text = text.replace(
            r#"agent="ocf:heartbeat:podman" role="Started""#,
            &format!(r#"agent="ocf:heartbeat:podman" role="{role}""#),
        );
        assert_eq!((replica(&text).is_up, replica(&text).up_inside), (false, 3));
    }
}

#[test]
fn a_cluster_without_quorum_restarts_nothing() {
    let text = said("false", "false", r#"managed="true""#, HERE, "");
    let text = text.replace(r#"with_quorum="true""#, r#"with_quorum="false""#);
    assert!(replica(&text).obstacle().unwrap().contains("quorum"));
}

#[test]
fn only_its_own_failures_on_this_node_are_its_failures() {
    let failure = |key: &str, node: &str, reason: &str| {
        format!(
            r#"<failure op_key="{key}" node="{node}" exitstatus="error" exitreason="{reason}" exitcode="1" call="39" task="start"/>"#
        )
    };
    let all = [
        failure("db-bundle-podman-0_start_0", "one", "exited after start"),
        failure("db-bundle-podman-0_start_0", "two", ""),
        failure("db-bundle-podman-01_start_0", "one", ""),
    ];
    let found = replica(&said(
        "false",
        "false",
        r#"managed="true""#,
        HERE,
        &all.concat(),
    ));
    let [failure] = found.failures.as_slice() else {
        unreachable!("one is its own: {:?}", found.failures)
    };
    assert_eq!(
        (failure.task.as_str(), failure.why.as_str()),
        ("start", "exited after start")
    );
}

#[test]
fn something_else_is_refused() {
    for text in [
        "",
        "no xml",
        "<html/>",
        "<pacemaker-result/>",
        "<!DOCTYPE x []><pacemaker-result/>",
    ] {
        assert!(Status::read(text, "one").is_err(), "{text}");
    }
}
