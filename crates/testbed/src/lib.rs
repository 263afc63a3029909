//! Test only: runs a module as Ansible does, and independent witnesses.
