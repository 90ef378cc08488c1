cwlVersion: v1.2
class: CommandLineTool
doc: An instruction that fails ends the run.
requirements:
  DockerRequirement:
    dockerFile: |
      FROM debian:stable-slim
      RUN exit 3
inputs: []
outputs: []
baseCommand: "true"
