# The team's own job. The image becomes the release's, by digest; ID, namespace and meta become ours.
job "web" {
  datacenters = ["*"]

  group "web" {
    network {
      port "http" {
        static = 8085
        to     = 8080
      }
    }

    service {
      name     = "web"
      provider = "nomad"
      port     = "http"

      check {
        type     = "http"
        path     = "/healthz"
        interval = "1s"
        timeout  = "2s"
      }
    }

    task "web" {
      driver = "docker"

      config {
        image = "registry.example/everywhere/web:latest"
        ports = ["http"]
      }

      resources {
        cpu    = 100
        memory = 64
      }
    }
  }
}
