"""The `fairlead` command: commands by subject, and whatever joins by the entry point group `fairlead.cli_commands`."""


def main() -> None:
    """Run the command line; exits with the codes of interface.md 3."""
    raise NotImplementedError


if __name__ == "__main__":
    main()
