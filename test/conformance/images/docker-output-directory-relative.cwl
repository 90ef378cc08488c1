cwlVersion: v1.2
class: CommandLineTool
requirements:
  DockerRequirement:
    dockerPull: debian:stable-slim
    dockerOutputDirectory: results
inputs: []
outputs: []
baseCommand: "true"
