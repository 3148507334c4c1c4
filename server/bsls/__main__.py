from bsls.cli.main import main

main()
