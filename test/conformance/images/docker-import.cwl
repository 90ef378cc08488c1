cwlVersion: v1.2
class: CommandLineTool
doc: The image is made of a root file system, a tar beside the document.
requirements:
  DockerRequirement:
    dockerImport: rootfs.tar.gz
    dockerImageId: hallmark-suite/imported:1
inputs: []
outputs: {out: stdout}
baseCommand: [sh, -c, 'test -e /etc/debian_version && echo imported']
stdout: out.txt
